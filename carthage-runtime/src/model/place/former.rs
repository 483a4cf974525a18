//! What machines and networks were called before: `#[moved_from("mirror")]`.

use super::super::node::{Kind, Node, Role};
use super::super::text::{digits, write_number};
use super::texts::{Hash, first_label};
use super::{Placement, Placements};

impl Node {
    /// Called by one of these before.
    #[must_use]
    pub const fn moved_from(mut self, names: &'static [&'static str]) -> Self {
        self.moved_from = names;
        self
    }
}

impl Placements {
    /// What is written of the former names of the machine or network at `row`, at its field or else at its model.
    pub(crate) const fn former_names(&self, row: u32) -> &'static [&'static str] {
        match self.part(row) {
            Some(part) => match &part.role {
                Role::Member(member) => member.called_before(),
                _ => &[],
            },
            None => &[],
        }
    }
}

impl Placement {
    /// What it was called before, the newest first: full names of a machine, paths of a network. A name with a dot in it, or at
    /// its end, is complete; any other is completed by what the new one is in. In an array all are numbered as it is.
    pub fn moved_from(self) -> impl Iterator<Item = String> {
        let full = move |written: &&'static str| match self.kind() {
            Kind::Network => self.former_path(written),
            _ => Former::of(self.all, self.row, written).text(self.all),
        };
        self.all.former_names(self.row).iter().map(full)
    }

    /// Of a network: the path of fields.
    fn former_path(self, written: &str) -> String {
        let around = self.parent().map(Self::path).filter(|path| !path.is_empty());
        let number = self.position().map(|position| format!(".{}", position + 1)).unwrap_or_default();
        match (written.strip_suffix('.'), around) {
            (Some(whole), _) => whole.to_owned(),
            (None, Some(around)) if !written.contains('.') => format!("{around}.{written}{number}"),
            _ => format!("{written}{number}"),
        }
    }
}

/// A former full name of a machine: put together only where somebody reads it.
#[derive(Clone, Copy)]
pub(crate) struct Former {
    written: &'static [u8],
    /// Of what is written, without a dot at the end; and of its first label.
    len: usize,
    label: usize,
    /// In an array, its number; or 0.
    number: usize,
    /// What is around it, if that completes the name.
    around: Option<u32>,
}

impl Former {
    pub(crate) const fn of(all: &Placements, row: u32, written: &'static str) -> Self {
        let bytes = written.as_bytes();
        let whole = !bytes.is_empty() && bytes[bytes.len() - 1] == b'.';
        let len = if whole { bytes.len() - 1 } else { bytes.len() };
        let mut label = first_label(bytes);
        if label > len {
            label = len;
        }
        let at = &all.rows[row as usize];
        Self {
            written: bytes,
            len,
            label,
            number: if at.position == super::NONE { 0 } else { at.position as usize + 1 },
            around: if whole || label < len { None } else { Some(at.parent) },
        }
    }

    /// As it is of names that placements have.
    pub(crate) const fn hash(self, all: &Placements) -> u32 {
        let mut hash = Hash::EMPTY.and(self.written, 0, self.label);
        if self.number > 0 {
            hash = hash.number(self.number);
        }
        let hash = hash.and(self.written, self.label, self.len);
        match self.around {
            Some(row) => hash.before(&all.rows[row as usize]).0,
            None => hash.value,
        }
    }

    /// How many bytes what completes it has, with the dot before it.
    const fn completion(self, all: &Placements) -> usize {
        match self.around {
            Some(row) if all.rows[row as usize].domain_len > 0 => {
                1 + all.rows[row as usize].domain_len as usize
            }
            _ => 0,
        }
    }

    const fn text_len(self, all: &Placements) -> usize {
        let number = if self.number > 0 { 1 + digits(self.number as u64) } else { 0 };
        self.len + number + self.completion(all)
    }

    /// The byte at `i` of its text.
    const fn byte(self, all: &Placements, mut i: usize) -> u8 {
        if i < self.label {
            return self.written[i];
        }
        i -= self.label;
        if self.number > 0 {
            if i == 0 {
                return b'-';
            }
            let count = digits(self.number as u64);
            if i <= count {
                let mut text = [0; 20];
                write_number(&mut text, 0, self.number as u64, count);
                return text[i - 1];
            }
            i -= 1 + count;
        }
        if i < self.len - self.label {
            return self.written[self.label + i];
        }
        i -= self.len - self.label;
        match self.around {
            Some(row) if i > 0 => all.text[all.rows[row as usize].domain as usize + i - 1],
            _ => b'.',
        }
    }

    /// Whether the machine at `row` is called so. Where there is no text, the check of the whole will tell.
    pub(crate) const fn is_name_of(self, all: &Placements, row: u32) -> bool {
        let other = &all.rows[row as usize];
        let len = self.text_len(all);
        if len != other.full_len as usize {
            return false;
        }
        let from = (other.text + 2 * other.path_len) as usize;
        let mut i = 0;
        while i < len && !all.text.is_empty() {
            if self.byte(all, i) != all.text[from + i] {
                return false;
            }
            i += 1;
        }
        true
    }

    /// Whether both are the same name.
    pub(crate) const fn is(self, all: &Placements, other: Self) -> bool {
        let len = self.text_len(all);
        if len != other.text_len(all) {
            return false;
        }
        let mut i = 0;
        while i < len && !all.text.is_empty() {
            if self.byte(all, i) != other.byte(all, i) {
                return false;
            }
            i += 1;
        }
        true
    }

    fn text(self, all: &Placements) -> String {
        let bytes = (0..self.text_len(all)).map(|i| self.byte(all, i)).collect();
        String::from_utf8(bytes).unwrap_or_default()
    }
}
