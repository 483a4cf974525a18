//! The texts of placements: how long they are and where they stand, hashes of the full names, and at last their bytes.
//!
//! The checks need no text: in a constant, bytes are written only when somebody reads them.

use super::super::member::Member;
use super::super::node::{Kind, Role};
use super::super::text::{digits, write_number};
use super::Placements;
use super::extent::Label;
use super::tables::{Filling, NONE, Row};

/// Of the polynomial hash: that of two strings after one another follows from those of the two.
const BASE: u32 = 0x0100_0193;

/// `a * b + c`, modulo 2³².
const fn multiply_add(a: u32, b: u32, c: u32) -> u32 {
    ((a as u64 * b as u64 + c as u64) & 0xffff_ffff) as u32
}

/// A hash of text, and the power of [`BASE`] that puts another before it.
#[derive(Clone, Copy)]
pub(super) struct Hash {
    pub(super) value: u32,
    pub(super) power: u32,
}

impl Hash {
    /// Of no text.
    pub(super) const EMPTY: Self = Self { value: 0, power: 1 };

    const fn byte(&mut self, byte: u8) {
        self.value = multiply_add(self.value, BASE, byte as u32);
        self.power = multiply_add(self.power, BASE, 0);
    }

    /// With `bytes[start..end]` behind it.
    pub(super) const fn and(mut self, bytes: &[u8], start: usize, end: usize) -> Self {
        let mut i = start;
        while i < end {
            self.byte(bytes[i]);
            i += 1;
        }
        self
    }

    /// With `-12` behind it.
    pub(super) const fn number(mut self, number: usize) -> Self {
        self.byte(b'-');
        let mut unit = 1;
        while number / unit >= 10 {
            unit *= 10;
        }
        while unit > 0 {
            self.byte(b'0' + (number / unit % 10) as u8);
            unit /= 10;
        }
        self
    }

    /// Of this text and then that of `row`.
    pub(super) const fn before(self, row: &Row) -> (u32, u32) {
        (multiply_add(self.value, row.power, row.hash), multiply_add(self.power, row.power, 0))
    }
}

/// What tells an element from the others, with the mark before it.
const fn label_len(label: Label) -> usize {
    match label {
        Label::None => 0,
        Label::Number(number) => 1 + digits(number as u64),
        Label::Name(name) => 1 + name.len(),
    }
}

/// The own part of the domain inside, which the domain around follows.
const fn own_domain(member: &Member, label: Label) -> usize {
    match (member.domain_inside(), label) {
        (Some(domain), label) => domain.len() + label_len(label),
        // Their machines would all have the same names.
        (None, Label::Name(name)) if member.node.kind.is_container() => name.len(),
        (None, _) => 0,
    }
}

impl Member {
    /// What it is called, without the number of an element.
    pub(super) const fn called(&self) -> &'static str {
        match self.name {
            Some(name) => name,
            None => self.node.name,
        }
    }
}

/// Where a domain's first label ends.
pub(super) const fn first_label(domain: &[u8]) -> usize {
    let mut end = 0;
    while end < domain.len() && domain[end] != b'.' {
        end += 1;
    }
    end
}

impl Filling<'_> {
    /// Lays out path, stamp directory, full name and domain. `name` is the hash of what the member is called.
    pub(super) const fn texts(
        &mut self,
        field: &str,
        member: &Member,
        label: Label,
        parent: usize,
        name: Hash,
    ) -> Row {
        let around = self.rows[parent];
        let text = self.used;
        let more = label_len(label);
        let path_len = around.path_len as usize + (around.path_len > 0) as usize + field.len() + more;
        let name_len = match label {
            Label::Name(name) => name.len(),
            _ => member.called().len() + more,
        };
        let suffix = if around.domain_len == 0 { 0 } else { 1 + around.domain_len as usize };
        let full_len = name_len + suffix;
        self.used += 2 * path_len + full_len;
        let (mut domain, mut domain_len) = (around.domain, around.domain_len);
        let (mut hash, mut power) = (around.hash, around.power);
        if matches!(member.node.kind, Kind::Machine) {
            (hash, _) = match label {
                Label::None => name,
                Label::Number(number) => name.number(number),
                Label::Name(name) => Hash::EMPTY.and(name.as_bytes(), 0, name.len()),
            }
            .before(&around);
        }
        let own = own_domain(member, label);
        if own > 0 {
            if !matches!(member.node.kind, Kind::Machine) {
                (hash, power) = inside(member, label).before(&around);
            }
            (domain, domain_len) = (self.used as u32, (own + suffix) as u32);
            self.used += own + suffix;
        }
        Row {
            text: text as u32,
            path_len: path_len as u32,
            name_len: name_len as u32,
            full_len: full_len as u32,
            domain,
            domain_len,
            hash,
            power,
            ..around
        }
    }
}

/// The hash of a dot and the own part of the domain inside.
const fn inside(member: &Member, label: Label) -> Hash {
    let hash = Hash::EMPTY.and(b".", 0, 1);
    let domain = match (member.domain_inside(), label) {
        (Some(domain), _) => domain.as_bytes(),
        (None, Label::Name(name)) => return hash.and(name.as_bytes(), 0, name.len()),
        (None, _) => return hash,
    };
    match label {
        Label::None => hash.and(domain, 0, domain.len()),
        Label::Number(number) => {
            let end = first_label(domain);
            hash.and(domain, 0, end).number(number).and(domain, end, domain.len())
        }
        Label::Name(name) => {
            hash.and(name.as_bytes(), 0, name.len()).and(b".", 0, 1).and(domain, 0, domain.len())
        }
    }
}

/// The text of all placements.
#[derive(Debug)]
pub struct Texts<const TEXT: usize> {
    pub(crate) bytes: [u8; TEXT],
}

impl<const TEXT: usize> Texts<TEXT> {
    /// Of what is placed there, which has [`Placements::text_len`] bytes of it.
    #[must_use]
    pub const fn of(all: &Placements) -> Self {
        let mut texts = Self { bytes: [0; TEXT] };
        let mut writing = Writing { text: &mut texts.bytes, at: 0 };
        writing.layout(&all.rows[0]);
        let mut i = 1;
        while i < all.rows.len() {
            let row = &all.rows[i];
            let around = &all.rows[row.parent as usize];
            let part = &around.node.parts[row.part as usize];
            if let Role::Member(member) = &part.role {
                let label = match row.position {
                    NONE => Label::None,
                    position => Label::Number(position as usize + 1),
                };
                writing.row(around, row, part.field, member, label);
            }
            i += 1;
        }
        texts
    }
}

/// Texts while they are written.
pub(super) struct Writing<'a> {
    pub(super) text: &'a mut [u8],
    pub(super) at: usize,
}

impl Writing<'_> {
    /// The layout's name and domain.
    pub(super) const fn layout(&mut self, row: &Row) {
        self.str(row.node.name);
        if let Some(domain) = row.node.domain {
            self.str(domain);
        }
    }

    /// Path, stamp directory, full name and domain of `row`, in `around`.
    pub(super) const fn row(&mut self, around: &Row, row: &Row, field: &str, member: &Member, label: Label) {
        self.at = row.text as usize;
        self.path(around, field, label, b'.');
        self.path(around, field, label, b'/');
        match label {
            Label::Name(name) => self.str(name),
            Label::Number(number) => {
                self.str(member.called());
                self.number(b'-', number);
            }
            Label::None => self.str(member.called()),
        }
        self.suffix(around);
        if own_domain(member, label) > 0 {
            self.domain(member, label);
            self.suffix(around);
        }
    }

    /// The path, with this between the fields.
    const fn path(&mut self, around: &Row, field: &str, label: Label, mark: u8) {
        let from = around.text as usize;
        let from = if mark == b'/' { from + around.path_len as usize } else { from };
        self.copy(from, around.path_len as usize);
        if around.path_len > 0 {
            self.byte(mark);
        }
        self.str(field);
        match label {
            Label::None => {}
            Label::Number(number) => self.number(mark, number),
            Label::Name(name) => {
                self.byte(mark);
                self.str(name);
            }
        }
    }

    /// An enclave's domain; in an array its first label is numbered: `desk-2.example`; in a fleet it is in one of the element's
    /// name: `paris.example`.
    const fn domain(&mut self, member: &Member, label: Label) {
        let (domain, number) = match (member.domain_inside(), label) {
            (Some(domain), Label::Number(number)) => (domain.as_bytes(), number),
            (Some(domain), Label::None) => return self.str(domain),
            (Some(domain), Label::Name(name)) => {
                self.str(name);
                self.str(".");
                return self.str(domain);
            }
            (None, Label::Name(name)) => return self.str(name),
            (None, _) => return,
        };
        let end = first_label(domain);
        self.bytes(domain, 0, end);
        self.number(b'-', number);
        self.bytes(domain, end, domain.len());
    }

    /// The domain around, after a dot.
    const fn suffix(&mut self, around: &Row) {
        if around.domain_len > 0 {
            self.byte(b'.');
            self.copy(around.domain as usize, around.domain_len as usize);
        }
    }

    const fn byte(&mut self, byte: u8) {
        self.text[self.at] = byte;
        self.at += 1;
    }

    /// A number, with a mark before it.
    const fn number(&mut self, mark: u8, number: usize) {
        self.byte(mark);
        let count = digits(number as u64);
        write_number(self.text, self.at, number as u64, count);
        self.at += count;
    }

    const fn str(&mut self, s: &str) {
        self.bytes(s.as_bytes(), 0, s.len());
    }

    const fn bytes(&mut self, bytes: &[u8], start: usize, end: usize) {
        let to = self.at;
        let mut i = start;
        while i < end {
            self.text[to + i - start] = bytes[i];
            i += 1;
        }
        self.at += end - start;
    }

    /// The `count` bytes of text from `from`.
    const fn copy(&mut self, from: usize, count: usize) {
        let to = self.at;
        let mut i = 0;
        while i < count {
            self.text[to + i] = self.text[from + i];
            i += 1;
        }
        self.at += count;
    }
}
