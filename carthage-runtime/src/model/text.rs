//! Text that is built in constants, where nothing can be allocated.
//!
//! The interpreter of constants takes about a microsecond for each byte copied in a plain loop and thirty for a call of
//! `split_at`: hence the loops, here and in the tables.

use super::key::At;

/// Writes into a buffer of fixed size; what does not fit is left out, and told by [`Text::overflowed`].
pub(crate) struct Text<'a> {
    bytes: &'a mut [u8],
    len: usize,
    overflowed: bool,
}

impl<'a> Text<'a> {
    pub(crate) const fn new(bytes: &'a mut [u8]) -> Self {
        Self { bytes, len: 0, overflowed: false }
    }

    pub(crate) const fn len(&self) -> usize {
        self.len
    }

    /// Whether something was left out since the last [`Text::truncate`].
    pub(crate) const fn overflowed(&self) -> bool {
        self.overflowed
    }

    /// Back to `len` bytes, a length that [`Text::len`] gave.
    pub(crate) const fn truncate(&mut self, len: usize) {
        self.len = len;
        self.overflowed = false;
    }

    /// Whether what stands from `start` on is in the first `end` bytes as well.
    pub(crate) const fn has_before(&self, end: usize, start: usize) -> bool {
        let len = self.len - start;
        let mut from = 0;
        while from + len <= end {
            let mut i = 0;
            while i < len && self.bytes[from + i] == self.bytes[start + i] {
                i += 1;
            }
            if i == len {
                return true;
            }
            from += 1;
        }
        false
    }

    /// Adds a string as a whole, or not at all.
    pub(crate) const fn str(&mut self, s: &str) {
        let from = s.as_bytes();
        let count = from.len();
        if self.len + count > self.bytes.len() {
            self.overflowed = true;
            return;
        }
        let mut i = 0;
        while i < count {
            self.bytes[self.len + i] = from[i];
            i += 1;
        }
        self.len += count;
    }

    /// Adds a number in decimal.
    pub(crate) const fn number(&mut self, number: u64) {
        let count = digits(number);
        if self.len + count > self.bytes.len() {
            self.overflowed = true;
            return;
        }
        write_number(self.bytes, self.len, number, count);
        self.len += count;
    }

    /// Adds an IPv4 address.
    pub(crate) const fn address(&mut self, address: u32) {
        let mut shift = 32;
        while shift > 0 {
            shift -= 8;
            self.number(((address >> shift) & 0xff) as u64);
            if shift > 0 {
                self.str(".");
            }
        }
    }

    /// Adds a byte as two digits.
    pub(crate) const fn hex(&mut self, byte: u8) {
        let digits = b"0123456789abcdef";
        self.str(str(digits, (byte >> 4) as usize, 1));
        self.str(str(digits, (byte & 0xf) as usize, 1));
    }

    /// Adds `file:line`.
    pub(crate) const fn at(&mut self, at: At) {
        self.str(at.file);
        self.str(":");
        self.number(at.line as u64);
    }

    /// Adds a type's name as a field is called after it: `SiteNet` gives `site_net`.
    pub(crate) const fn snake(&mut self, name: &str) {
        let from = name.as_bytes();
        let mut i = 0;
        while i < from.len() {
            if from[i].is_ascii_uppercase() && i > 0 {
                self.str("_");
            }
            if self.len == self.bytes.len() {
                self.overflowed = true;
                return;
            }
            self.bytes[self.len] = from[i].to_ascii_lowercase();
            self.len += 1;
            i += 1;
        }
    }

    pub(crate) const fn as_str(&self) -> &str {
        str(self.bytes, 0, self.len)
    }
}

/// How many decimal digits `number` has.
pub(crate) const fn digits(mut number: u64) -> usize {
    let mut count = 1;
    while number >= 10 {
        number /= 10;
        count += 1;
    }
    count
}

/// Writes the `count` digits of `number` at `start`.
pub(crate) const fn write_number(bytes: &mut [u8], start: usize, mut number: u64, count: usize) {
    let mut i = count;
    while i > 0 {
        i -= 1;
        bytes[start + i] = b'0' + (number % 10) as u8;
        number /= 10;
    }
}

/// The text of `len` bytes from `start`. It was put together of whole strings, so it is one.
pub(crate) const fn str(bytes: &[u8], start: usize, len: usize) -> &str {
    match std::str::from_utf8(bytes.split_at(start).1.split_at(len).0) {
        Ok(text) => text,
        Err(_) => panic!("a table's text is cut inside of a character"),
    }
}

/// Whether two strings are equal.
pub(crate) const fn same(a: &str, b: &str) -> bool {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    let len = a.len();
    if len != b.len() {
        return false;
    }
    let mut i = 0;
    while i < len {
        if a[i] != b[i] {
            return false;
        }
        i += 1;
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_pieces_and_leaves_out_what_does_not_fit() {
        let mut buffer = [0; 24];
        let mut text = Text::new(&mut buffer);
        text.address(u32::from(std::net::Ipv4Addr::new(10, 0, 200, 7)));
        text.str(" ");
        text.snake("SiteNet");
        assert_eq!(text.as_str(), "10.0.200.7 site_net");
        let len = text.len();
        text.str("more than fits");
        assert!(text.overflowed());
        assert_eq!(text.as_str(), "10.0.200.7 site_net");
        text.truncate(len);
        text.number(1200);
        assert!(!text.overflowed());
        assert_eq!(text.as_str(), "10.0.200.7 site_net1200");
    }

    #[test]
    fn compares_strings() {
        assert!(same("", "") && same("ab", "ab"));
        assert!(!same("ab", "ac") && !same("ab", "abc"));
    }
}
