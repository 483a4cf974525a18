//! The texts of the second pass: paths, names and domains, and hashes of the full names.

use super::super::member::Member;
use super::super::node::Kind;
use super::super::text::{digits, write_number};
use super::extent::Label;
use super::tables::{Filling, Row};

/// Of the polynomial hash: that of two strings after one another follows from those of the two.
const BASE: u32 = 0x0100_0193;

/// `a * b + c`, modulo 2³².
const fn multiply_add(a: u32, b: u32, c: u32) -> u32 {
    ((a as u64 * b as u64 + c as u64) & 0xffff_ffff) as u32
}

impl Filling<'_> {
    /// Writes path, stamp directory, full name and domain.
    pub(super) const fn texts(&mut self, field: &str, member: &Member, label: Label, parent: usize) -> Row {
        let around = self.rows[parent];
        let text = self.used;
        let path_len = around.path_len as usize
            + (around.path_len > 0) as usize
            + field.len()
            + match label {
                Label::None => 0,
                Label::Number(number) => 1 + digits(number as u64),
                Label::Name(name) => 1 + name.len(),
            };
        self.paths(&around, field, label, path_len);
        let name = match member.name {
            Some(name) => name,
            None => member.node.name,
        };
        let start = self.used;
        match label {
            Label::Name(name) => self.str(name),
            Label::Number(number) => self.numbered(name, number),
            Label::None => self.str(name),
        }
        let name_len = self.used - start;
        let machine = matches!(member.node.kind, Kind::Machine);
        let (mut hash, mut power) = (around.hash, around.power);
        if machine {
            hash = multiply_add(self.hash(0, start).0, power, hash);
        }
        self.suffix(&around);
        let full_len = self.used - start;
        let (mut domain, mut domain_len) = (around.domain, around.domain_len);
        let start = self.used;
        match (member.domain_inside(), label) {
            (Some(own), label) => self.domain(own, label),
            // Their machines would all have the same names.
            (None, Label::Name(name)) if member.node.kind.is_container() => self.str(name),
            (None, _) => {}
        }
        if self.used > start {
            if !machine {
                let (own, beyond) = self.hash(b'.', start);
                hash = multiply_add(own, power, hash);
                power = multiply_add(beyond, power, 0);
            }
            self.suffix(&around);
            (domain, domain_len) = (start as u32, (self.used - start) as u32);
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

    /// The path, and `/` in the place of `.` behind it.
    const fn paths(&mut self, around: &Row, field: &str, label: Label, len: usize) {
        let start = self.used;
        let from = around.text as usize;
        let mut at = around.path_len as usize;
        let mut i = 0;
        while i < at {
            let byte = self.text[from + i];
            self.text[start + i] = byte;
            self.text[start + len + i] = if byte == b'.' { b'/' } else { byte };
            i += 1;
        }
        if at > 0 {
            self.text[start + at] = b'.';
            self.text[start + len + at] = b'/';
            at += 1;
        }
        let field = field.as_bytes();
        let count = field.len();
        i = 0;
        while i < count {
            self.text[start + at + i] = field[i];
            self.text[start + len + at + i] = field[i];
            i += 1;
        }
        at += count;
        if at < len {
            self.text[start + at] = b'.';
            self.text[start + len + at] = b'/';
            at += 1;
        }
        match label {
            Label::None => {}
            Label::Number(number) => {
                write_number(self.text, start + at, number as u64, len - at);
                write_number(self.text, start + len + at, number as u64, len - at);
            }
            Label::Name(name) => {
                let name = name.as_bytes();
                i = 0;
                while i < name.len() {
                    self.text[start + at + i] = name[i];
                    self.text[start + len + at + i] = name[i];
                    i += 1;
                }
            }
        }
        self.used += 2 * len;
    }

    /// `name-3`.
    const fn numbered(&mut self, name: &str, number: usize) {
        self.str(name);
        self.str("-");
        let count = digits(number as u64);
        write_number(self.text, self.used, number as u64, count);
        self.used += count;
    }

    /// An enclave's domain; in an array its first label is numbered: `desk-2.example`; in a fleet it is in one of the element's
    /// name: `paris.example`.
    const fn domain(&mut self, domain: &str, label: Label) {
        let number = match label {
            Label::Number(number) => number,
            Label::None => return self.str(domain),
            Label::Name(name) => {
                self.str(name);
                self.str(".");
                return self.str(domain);
            }
        };
        let bytes = domain.as_bytes();
        let count = bytes.len();
        let mut label = 0;
        while label < count && bytes[label] != b'.' {
            self.text[self.used + label] = bytes[label];
            label += 1;
        }
        self.used += label;
        self.numbered("", number);
        let mut i = label;
        while i < count {
            self.text[self.used + i - label] = bytes[i];
            i += 1;
        }
        self.used += count - label;
    }

    /// The domain around, after a dot.
    const fn suffix(&mut self, around: &Row) {
        let count = around.domain_len as usize;
        if count == 0 {
            return;
        }
        let from = around.domain as usize;
        let to = self.used + 1;
        self.text[self.used] = b'.';
        let mut i = 0;
        while i < count {
            self.text[to + i] = self.text[from + i];
            i += 1;
        }
        self.used += 1 + count;
    }

    pub(super) const fn str(&mut self, s: &str) {
        let bytes = s.as_bytes();
        let count = bytes.len();
        let start = self.used;
        let mut i = 0;
        while i < count {
            self.text[start + i] = bytes[i];
            i += 1;
        }
        self.used += count;
    }

    /// Of a byte, if it is not 0, and the text from `start`; and the power that puts another hash before it.
    pub(super) const fn hash(&self, byte: u8, start: usize) -> (u32, u32) {
        let mut hash = byte as u32;
        let mut power = if byte == 0 { 1 } else { BASE };
        let end = self.used;
        let mut i = start;
        while i < end {
            hash = ((hash as u64 * BASE as u64 + self.text[i] as u64) & 0xffff_ffff) as u32;
            if byte != 0 {
                power = multiply_add(power, BASE, 0);
            }
            i += 1;
        }
        (hash, power)
    }
}
