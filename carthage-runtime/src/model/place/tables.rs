//! The second pass: every placement a row, with its texts, and the members and provided values by key.

use super::super::key::Key;
use super::super::node::{Count, Kind, Member, Node, Role};
use super::super::text::{digits, write_number};
use super::size::Size;

/// No index.
pub(crate) const NONE: u32 = u32::MAX;

/// One placement.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Row {
    pub(crate) node: &'static Node,
    pub(crate) parent: u32,
    /// The position of the field that holds it. No reference: it would make the compiler walk all siblings for each row.
    pub(crate) part: u32,
    /// The first row after its subtree.
    pub(crate) end: u32,
    /// The same place in the first elements of all arrays around; itself, if it is there.
    pub(crate) origin: u32,
    /// From 0 in its array; [`NONE`] outside of arrays.
    pub(crate) position: u32,
    /// How many elements its array has; 1 outside of arrays.
    pub(crate) elements: u32,
    /// Whether no row before has the same key.
    pub(crate) first: bool,
    /// Whether it provides values.
    pub(crate) provides: bool,
    /// Where its path starts, followed by the stamp directory, of the same length, and the full name.
    pub(crate) text: u32,
    pub(crate) path_len: u32,
    pub(crate) name_len: u32,
    pub(crate) full_len: u32,
    /// The domain of what is inside, or for the innermost, that it is in.
    pub(crate) domain: u32,
    pub(crate) domain_len: u32,
    /// Of a machine: the hash of its full name. Of the others: of what completes the names inside, and the power of
    /// [`BASE`] that puts another hash before it.
    pub(crate) hash: u32,
    pub(crate) power: u32,
}

/// A member field, a provided value, or a mask, of a placement that is its own origin.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Entry {
    pub(crate) key: u64,
    pub(crate) container: u32,
    /// The field's position; [`NONE`] for a mask.
    pub(crate) part: u32,
    /// The member's row; [`NONE`] for a provided value and a mask.
    pub(crate) target: u32,
    /// The next entry of the same sort with the same key in the same container.
    pub(crate) twin: u32,
    /// The first member entry with this key.
    pub(crate) group: u32,
    /// Of a first member entry: where its group starts in the sorted list, and how many it has.
    pub(crate) start: u32,
    pub(crate) len: u32,
}

impl Entry {
    const EMPTY: Self =
        Self { key: 0, container: NONE, part: 0, target: NONE, twin: NONE, group: NONE, start: 0, len: 0 };
}

/// Everything placed in a layout, as one constant: as large as its [`Size`] says.
///
/// `#[layout]` writes a `static` of it; see [`Placements`](super::Placements).
#[derive(Debug)]
pub struct Tables<const ROWS: usize, const TEXT: usize, const ENTRIES: usize, const SLOTS: usize> {
    pub(crate) size: Size,
    pub(crate) rows: [Row; ROWS],
    pub(crate) text: [u8; TEXT],
    pub(crate) entries: [Entry; ENTRIES],
    /// Member rows in pre-order, group by group.
    pub(crate) sorted: [u32; ENTRIES],
    /// Entries by container and key.
    pub(crate) holds: [u32; SLOTS],
    /// First member entries by key.
    pub(crate) groups: [u32; SLOTS],
}

impl<const ROWS: usize, const TEXT: usize, const ENTRIES: usize, const SLOTS: usize>
    Tables<ROWS, TEXT, ENTRIES, SLOTS>
{
    /// Of the tree below `node`, which has this size.
    ///
    /// # Panics
    /// When it has another.
    #[must_use]
    pub const fn of(node: &'static Node, size: Size) -> Self {
        let mut tables = Self {
            size,
            rows: [Row::of_layout(node); ROWS],
            text: [0; TEXT],
            entries: [Entry::EMPTY; ENTRIES],
            sorted: [NONE; ENTRIES],
            holds: [NONE; SLOTS],
            groups: [NONE; SLOTS],
        };
        Filling {
            rows: &mut tables.rows,
            text: &mut tables.text,
            entries: &mut tables.entries,
            sorted: &mut tables.sorted,
            holds: &mut tables.holds,
            groups: &mut tables.groups,
            used: 0,
            placed: 0,
            entered: 0,
        }
        .fill(node);
        tables
    }
}

/// The same on the heap, for trees that are only known at run time.
pub(crate) struct Heap {
    pub(crate) size: Size,
    pub(crate) rows: Vec<Row>,
    pub(crate) text: Vec<u8>,
    pub(crate) entries: Vec<Entry>,
    pub(crate) sorted: Vec<u32>,
    pub(crate) holds: Vec<u32>,
    pub(crate) groups: Vec<u32>,
}

impl Heap {
    pub(crate) fn of(node: &'static Node) -> Self {
        let size = Size::of(node);
        let mut tables = Self {
            size,
            rows: vec![Row::of_layout(node); size.rows],
            text: vec![0; size.text],
            entries: vec![Entry::EMPTY; size.entries],
            sorted: vec![NONE; size.entries],
            holds: vec![NONE; size.slots],
            groups: vec![NONE; size.slots],
        };
        Filling {
            rows: &mut tables.rows,
            text: &mut tables.text,
            entries: &mut tables.entries,
            sorted: &mut tables.sorted,
            holds: &mut tables.holds,
            groups: &mut tables.groups,
            used: 0,
            placed: 0,
            entered: 0,
        }
        .fill(node);
        tables
    }
}

/// The slot at which the search for `key` in `container` starts. Keys are hashes already; not a call is made.
pub(crate) const fn slot(key: u64, container: u32, slots: usize) -> usize {
    (key ^ (key >> 32) ^ (container as u64 * 0x9e37_79b1)) as usize & (slots - 1)
}

pub(super) struct Filling<'a> {
    pub(super) rows: &'a mut [Row],
    text: &'a mut [u8],
    pub(super) entries: &'a mut [Entry],
    sorted: &'a mut [u32],
    pub(super) holds: &'a mut [u32],
    groups: &'a mut [u32],
    /// Bytes of text, rows and entries so far.
    used: usize,
    placed: usize,
    entered: usize,
}

impl Row {
    const fn of_layout(node: &'static Node) -> Self {
        let name_len = node.name.len() as u32;
        Self {
            node,
            parent: NONE,
            part: NONE,
            end: 1,
            origin: 0,
            position: NONE,
            elements: 1,
            first: true,
            provides: false,
            text: 0,
            path_len: 0,
            name_len,
            full_len: name_len,
            domain: name_len,
            domain_len: match node.domain {
                Some(domain) => domain.len() as u32,
                None => 0,
            },
            hash: 0,
            power: 1,
        }
    }
}

/// Of the polynomial hash: that of two strings after one another follows from those of the two.
const BASE: u32 = 0x0100_0193;

/// `a * b + c`, modulo 2³².
const fn multiply_add(a: u32, b: u32, c: u32) -> u32 {
    ((a as u64 * b as u64 + c as u64) & 0xffff_ffff) as u32
}

impl Filling<'_> {
    const fn fill(mut self, node: &'static Node) {
        self.str(node.name);
        if let Some(domain) = node.domain {
            let start = self.used;
            self.str(domain);
            (self.rows[0].hash, self.rows[0].power) = self.hash(b'.', start);
        }
        self.placed = 1;
        self.inside(node, 0, 0);
        self.sort();
        // Both passes must agree, or a table of the wrong size was asked for.
        assert!(self.placed == self.rows.len() && self.used == self.text.len(), "`Size` is another layout's");
    }

    /// The fields of the placement at `row`, whose origin is `shift` rows before.
    const fn inside(&mut self, node: &'static Node, row: usize, shift: usize) {
        let parts = node.parts;
        let count = parts.len();
        let mut i = 0;
        while i < count {
            let part = &parts[i];
            match &part.role {
                Role::Member(member) => self.member(part.field, i, member, row, shift),
                Role::Provide(provide) if shift == 0 => {
                    self.rows[row].provides = true;
                    self.enter(provide.key, row, i, NONE);
                }
                _ => {}
            }
            i += 1;
        }
        if shift == 0 && !node.masks.is_empty() {
            self.masks(node, row);
        }
        self.rows[row].end = self.placed as u32;
    }

    const fn member(&mut self, field: &str, index: usize, member: &Member, parent: usize, shift: usize) {
        let node = member.node;
        let (elements, array) = match member.count {
            Count::One => (1, false),
            Count::Array(elements) => (elements, true),
        };
        let first_row = self.placed;
        let first = shift == 0 && elements > 0 && self.enter(node.key, parent, index, first_row as u32);
        let mut i = 0;
        while i < elements {
            let row = self.placed;
            self.placed += 1;
            let shift = if shift == 0 { row - first_row } else { shift };
            let origin = if shift == 0 { row as u32 } else { self.rows[row - shift].origin };
            let number = if array { i + 1 } else { 0 };
            self.rows[row] = Row {
                node,
                parent: parent as u32,
                part: index as u32,
                end: 0,
                origin,
                position: if array { i as u32 } else { NONE },
                elements: elements as u32,
                first: first && i == 0,
                ..self.texts(field, member, number, parent)
            };
            self.inside(node, row, shift);
            i += 1;
        }
    }

    /// Writes path, stamp directory, full name and domain; `number` is 0 outside of arrays.
    const fn texts(&mut self, field: &str, member: &Member, number: usize, parent: usize) -> Row {
        let around = self.rows[parent];
        let text = self.used;
        let path_len = around.path_len as usize
            + (around.path_len > 0) as usize
            + field.len()
            + if number > 0 { 1 + digits(number as u64) } else { 0 };
        self.paths(&around, field, number, path_len);
        let name = match member.name {
            Some(name) => name,
            None => member.node.name,
        };
        let start = self.used;
        self.numbered(name, number);
        let name_len = self.used - start;
        let machine = matches!(member.node.kind, Kind::Machine);
        let (mut hash, mut power) = (around.hash, around.power);
        if machine {
            hash = multiply_add(self.hash(0, start).0, power, hash);
        }
        self.suffix(&around);
        let full_len = self.used - start;
        let (mut domain, mut domain_len) = (around.domain, around.domain_len);
        if let Some(own) = member.node.domain {
            let start = self.used;
            self.domain(own, number);
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
    const fn paths(&mut self, around: &Row, field: &str, number: usize, len: usize) {
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
        if number > 0 {
            self.text[start + at] = b'.';
            self.text[start + len + at] = b'/';
            at += 1;
            write_number(self.text, start + at, number as u64, len - at);
            write_number(self.text, start + len + at, number as u64, len - at);
        }
        self.used += 2 * len;
    }

    /// `name`, or `name-3`.
    const fn numbered(&mut self, name: &str, number: usize) {
        self.str(name);
        if number > 0 {
            self.str("-");
            let count = digits(number as u64);
            write_number(self.text, self.used, number as u64, count);
            self.used += count;
        }
    }

    /// An enclave's domain; in an array its first label is numbered: `desk-2.example`.
    const fn domain(&mut self, domain: &str, number: usize) {
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

    const fn str(&mut self, s: &str) {
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
    const fn hash(&self, byte: u8, start: usize) -> (u32, u32) {
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

    /// Records a member or a provided value; answers whether it is the first member with its key.
    pub(super) const fn enter(&mut self, key: Key, container: usize, part: usize, target: u32) -> bool {
        let (key, container, entry) = (key.id, container as u32, self.entered as u32);
        self.entered += 1;
        self.entries[entry as usize] =
            Entry { key, container, part: part as u32, target, group: entry, ..Entry::EMPTY };
        let slots = self.holds.len();
        let mut at = slot(key, container, slots);
        while self.holds[at] != NONE {
            let other = self.holds[at] as usize;
            let found = &self.entries[other];
            if found.key == key && found.container == container && (found.target == NONE) == (target == NONE)
            {
                // The slot keeps the first; the others follow, the newest first.
                self.entries[entry as usize].twin = found.twin;
                self.entries[other].twin = entry;
                break;
            }
            at = (at + 1) & (slots - 1);
        }
        if self.holds[at] == NONE {
            self.holds[at] = entry;
        }
        if target == NONE {
            return false;
        }
        let mut at = slot(key, 0, slots);
        while self.groups[at] != NONE && self.entries[self.groups[at] as usize].key != key {
            at = (at + 1) & (slots - 1);
        }
        let first = self.groups[at] == NONE;
        if first {
            self.groups[at] = entry;
        }
        let group = self.groups[at];
        self.entries[entry as usize].group = group;
        self.entries[group as usize].len += 1;
        first
    }

    /// Lays the groups' members out, one group after the other.
    const fn sort(&mut self) {
        let mut start = 0;
        let mut i = 0;
        while i < self.entered {
            let entry = self.entries[i];
            if entry.target != NONE {
                if entry.group == i as u32 {
                    self.entries[i].start = start;
                    start += entry.len;
                    self.entries[i].len = 0;
                }
                let group = entry.group as usize;
                let to = self.entries[group].start + self.entries[group].len;
                self.sorted[to as usize] = entry.target;
                self.entries[group].len += 1;
            }
            i += 1;
        }
    }
}
