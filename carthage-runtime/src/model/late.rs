//! Texts and numbers of generic models that are known when the parameters are: `domain = "group{K}"`, `v4 = "10.{K}.0.0/24"`.

use super::text::{self, digits, write_number};

/// A piece of such a text.
#[derive(Clone, Copy, Debug)]
pub enum Piece {
    /// As it is written.
    Text(&'static str),
    /// The value of a constant parameter.
    Number(u64),
}

/// Such a text, put together.
#[derive(Clone, Copy, Debug)]
pub struct Late {
    bytes: [u8; Self::MOST],
    len: usize,
}

impl Late {
    /// Bytes that a domain may have; more leave no room for host names.
    const MOST: usize = 190;

    /// Of these pieces.
    ///
    /// # Panics
    /// When it is longer than a domain may be.
    #[must_use]
    pub const fn of(pieces: &[Piece]) -> Self {
        let mut bytes = [0; Self::MOST];
        let mut len = 0;
        let mut i = 0;
        while i < pieces.len() {
            let more = match pieces[i] {
                Piece::Text(text) => text.len(),
                Piece::Number(number) => digits(number),
            };
            assert!(
                len + more <= Self::MOST,
                "a domain with the numbers of its parameters has more than 190 bytes"
            );
            match pieces[i] {
                Piece::Number(number) => write_number(&mut bytes, len, number, more),
                Piece::Text(text) => {
                    let mut at = 0;
                    while at < more {
                        bytes[len + at] = text.as_bytes()[at];
                        at += 1;
                    }
                }
            }
            len += more;
            i += 1;
        }
        Self { bytes, len }
    }

    /// The text.
    #[must_use]
    pub const fn as_str(&self) -> &str {
        text::str(&self.bytes, 0, self.len)
    }
}

/// A number of an address, out of a constant parameter.
///
/// # Panics
/// When it is more than 255.
#[must_use]
#[track_caller]
pub const fn octet(value: u64) -> u8 {
    assert!(value <= 255, "a parameter that stands for a number of an address is at most 255");
    value as u8
}
