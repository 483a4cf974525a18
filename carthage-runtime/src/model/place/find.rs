//! Finding what is placed at a path of fields.

use super::super::text::{self, Text};
use super::{NONE, Placement, Placements};

impl Placements {
    /// The one at this path of fields, such as `algebra.workers.2`; the layout itself has the empty path.
    #[must_use]
    pub const fn find(&'static self, path: &str) -> Option<Placement> {
        let bytes = path.as_bytes();
        let mut row = 0;
        let mut start = 0;
        while start < bytes.len() {
            let mut end = start;
            while end < bytes.len() && bytes[end] != b'.' {
                end += 1;
            }
            row = match self.child(row, bytes, start, end) {
                Some(child) => child,
                None => return None,
            };
            start = end + 1;
            if self.rows[row as usize].position != NONE {
                end = start;
                while end < bytes.len() && bytes[end] != b'.' {
                    end += 1;
                }
                row = match self.element(row, bytes, start, end) {
                    Some(element) => element,
                    None => return None,
                };
                start = end + 1;
            }
        }
        // A path that ends in a dot is none.
        if start == bytes.len() && start > 0 { None } else { Some(Placement { all: self, row }) }
    }

    /// The element that `bytes[start..end]` tells from the others of its array or fleet, whose first is at `first`.
    const fn element(&self, first: u32, bytes: &[u8], start: usize, end: usize) -> Option<u32> {
        let named = self.rows[first as usize].named;
        let mut number = 0;
        let mut i = start;
        while i < end && !named {
            if !bytes[i].is_ascii_digit() || number > NONE as u64 {
                return None;
            }
            number = number * 10 + (bytes[i] - b'0') as u64;
            i += 1;
        }
        let mut row = first;
        let mut left = self.rows[first as usize].elements;
        let mut position = 1;
        while left > 0 {
            let at = &self.rows[row as usize];
            let name = at.text as usize + 2 * at.path_len as usize;
            let is_it = match named {
                true => equal(self.text, name, at.name_len as usize, bytes, start, end),
                false => position == number,
            };
            if is_it {
                return Some(row);
            }
            row = at.end;
            position += 1;
            left -= 1;
        }
        None
    }

    /// The one at this path.
    ///
    /// # Panics
    /// When there is none; in a constant that is a compile error there.
    #[must_use]
    #[track_caller]
    pub const fn at(&'static self, path: &str) -> Placement {
        match self.find(path) {
            Some(placement) => placement,
            None => {
                let mut buffer = [0; 1024];
                let mut message = Text::new(&mut buffer);
                self.not_found(&mut message, path);
                panic!("{}", message.as_str())
            }
        }
    }

    const fn not_found(&'static self, message: &mut Text<'_>, path: &str) {
        message.str("`");
        message.str(self.rows[0].node.key.name());
        message.str("` places nothing at `");
        message.str(path);
        // The part of the path that is right, and what goes on from there.
        let bytes = path.as_bytes();
        let mut end = bytes.len();
        while end > 0 {
            end -= 1;
            if (end == 0 || bytes[end] == b'.')
                && let Some(near) = self.find(text::str(bytes, 0, end))
            {
                message.str("`; in `");
                message.str(if near.row == 0 { near.key().name() } else { near.path() });
                message.str("` there are:");
                near.list_children(message);
                return;
            }
        }
        message.str("`");
    }

    /// The first row of the field in `bytes[start..end]` of `parent`.
    const fn child(&self, parent: u32, bytes: &[u8], start: usize, end: usize) -> Option<u32> {
        let parent_end = self.rows[parent as usize].end;
        let mut row = parent + 1;
        while row < parent_end {
            if let Some(part) = self.part(row) {
                let field = part.field.as_bytes();
                if equal(field, 0, field.len(), bytes, start, end) {
                    return Some(row);
                }
            }
            row = self.after(row);
        }
        None
    }
}

impl Placement {
    const fn list_children(self, message: &mut Text<'_>) {
        let end = self.row().end;
        let mut row = self.row + 1;
        let mut shown = 0;
        while row < end && shown < 12 {
            message.str(if shown == 0 { " `" } else { ", `" });
            message.str(Self { all: self.all, row }.field());
            message.str("`");
            shown += 1;
            row = self.all.after(row);
        }
        if row < end {
            message.str(" …");
        } else if shown == 0 {
            message.str(" no fields with parts of the layout");
        }
    }
}

/// Whether the `len` bytes of `a` from `from` are `b[start..end]`.
const fn equal(a: &[u8], from: usize, len: usize, b: &[u8], start: usize, end: usize) -> bool {
    let mut same = len == end - start;
    let mut i = 0;
    while same && i < len {
        same = a[from + i] == b[start + i];
        i += 1;
    }
    same
}
