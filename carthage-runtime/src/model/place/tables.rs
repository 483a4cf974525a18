//! The second pass: every placement a row, with its texts, and the members and provided values by key.

use super::super::key::Key;
use super::super::member::{Count, Member};
use super::super::node::{Kind, Node, Role};
use super::super::profile::Profile;
use super::Placements;
use super::extent::{Label, Outcome, Terms};
use super::size::Size;
use super::texts::{Hash, Writing};

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
    /// In the tables of the source: the same place in the first elements of all arrays around; itself, if it is there.
    pub(crate) origin: u32,
    /// From 0 in its array or fleet; [`NONE`] outside of them.
    pub(crate) position: u32,
    /// How many elements its array or fleet has; 1 outside of them.
    pub(crate) elements: u32,
    /// Whether it is called by a name that a list gave it.
    pub(crate) named: bool,
    /// Whether there may be any number of it: it is a fleet's, or in one.
    pub(crate) varies: bool,
    /// Whether it is in some profiles only.
    pub(crate) partial: bool,
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
    /// Of a machine: the hash of its full name. Of the others: of what completes the names inside, and the power that puts
    /// another hash before it.
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
pub struct Tables<const ROWS: usize, const ENTRIES: usize, const SLOTS: usize> {
    pub(crate) size: Size,
    pub(crate) profile: &'static Profile,
    pub(crate) rows: [Row; ROWS],
    pub(crate) entries: [Entry; ENTRIES],
    /// Member rows in pre-order, group by group.
    pub(crate) sorted: [u32; ENTRIES],
    /// Entries by container and key.
    pub(crate) holds: [u32; SLOTS],
    /// First member entries by key.
    pub(crate) groups: [u32; SLOTS],
}

impl<const ROWS: usize, const ENTRIES: usize, const SLOTS: usize> Tables<ROWS, ENTRIES, SLOTS> {
    /// Of the tree below `node` in this profile, which has this size.
    ///
    /// # Panics
    /// When it has another.
    #[must_use]
    pub const fn of(node: &'static Node, profile: &'static Profile, size: Size) -> Self {
        let mut tables = Self {
            size,
            profile,
            rows: [Row::of_layout(node); ROWS],
            entries: [Entry::EMPTY; ENTRIES],
            sorted: [NONE; ENTRIES],
            holds: [NONE; SLOTS],
            groups: [NONE; SLOTS],
        };
        Filling {
            rows: &mut tables.rows,
            text: &mut [],
            entries: &mut tables.entries,
            sorted: &mut tables.sorted,
            holds: &mut tables.holds,
            groups: &mut tables.groups,
            used: 0,
            placed: 0,
            entered: 0,
            terms: Terms { profile, outcomes: None },
            next: 0,
            shape: None,
        }
        .fill(node, size.text);
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
    pub(crate) fn of(node: &'static Node, profile: &'static Profile) -> Self {
        Self::filled(node, Size::of(node, profile), Terms { profile, outcomes: None }, None)
    }

    /// The tree whose tables of the source are `shape`, as it was decided.
    pub(crate) fn decided(shape: &'static Placements, outcomes: &[Outcome]) -> Self {
        let (node, profile) = (shape.rows[0].node, shape.profile);
        let size = Size::decided(node, profile, outcomes);
        Self::filled(node, size, Terms { profile, outcomes: Some(outcomes) }, Some(shape))
    }

    fn filled(node: &'static Node, size: Size, terms: Terms<'_>, shape: Option<&'static Placements>) -> Self {
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
            terms,
            next: 0,
            shape,
        }
        .fill(node, size.text);
        tables
    }
}

/// The slot at which the search for `key` in `container` starts. Keys are hashes already; not a call is made.
pub(crate) const fn slot(key: u64, container: u32, slots: usize) -> usize {
    (key ^ (key >> 32) ^ (container as u64 * 0x9e37_79b1)) as usize & (slots - 1)
}

pub(super) struct Filling<'a> {
    pub(super) rows: &'a mut [Row],
    /// Empty if the bytes are not wanted yet.
    text: &'a mut [u8],
    pub(super) entries: &'a mut [Entry],
    sorted: &'a mut [u32],
    pub(super) holds: &'a mut [u32],
    groups: &'a mut [u32],
    /// Bytes of text, rows and entries so far.
    pub(super) used: usize,
    placed: usize,
    entered: usize,
    terms: Terms<'a>,
    /// Members that are decided at run time so far.
    next: usize,
    /// The tables of the source, if these are not: they have the entries.
    shape: Option<&'static Placements>,
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
            named: false,
            varies: false,
            partial: false,
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

impl Filling<'_> {
    const fn fill(mut self, node: &'static Node, text: usize) {
        self.used = node.name.len();
        if let Some(domain) = node.domain {
            self.used += domain.len();
            let hash = Hash::EMPTY.and(b".", 0, 1).and(domain.as_bytes(), 0, domain.len());
            (self.rows[0].hash, self.rows[0].power) = (hash.value, hash.power);
        }
        if !self.text.is_empty() {
            Writing { text: &mut *self.text, at: 0 }.layout(&self.rows[0]);
        }
        self.placed = 1;
        self.inside(node, 0, 0);
        self.sort();
        // Both passes must agree, or a table of the wrong size was asked for.
        assert!(self.placed == self.rows.len() && self.used == text, "`Size` is another layout's");
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
                Role::Provide(provide) if shift == 0 && self.shape.is_none() => {
                    self.rows[row].provides = true;
                    self.enter(provide.key, row, i, NONE);
                }
                _ => {}
            }
            i += 1;
        }
        if shift == 0 && self.shape.is_none() && !node.masks.is_empty() {
            self.masks(node, row);
        }
        self.rows[row].end = self.placed as u32;
    }

    const fn member(&mut self, field: &str, index: usize, member: &Member, parent: usize, shift: usize) {
        let node = member.node;
        let extent = self.terms.extent(member, &mut self.next);
        let elements = extent.count;
        let first_row = self.placed;
        let here = shift == 0 && elements > 0 && self.shape.is_none();
        let first = here && self.enter(node.key, parent, index, first_row as u32);
        let mut other = 0;
        while here && other < member.is.len() {
            if member.is_found_by(other) {
                self.enter(member.is[other].key, parent, index, first_row as u32);
            }
            other += 1;
        }
        if here && matches!(node.kind, Kind::Machine) {
            self.roles(node, parent, index, first_row as u32);
        }
        let source = match self.shape {
            Some(shape) => shape.first_of(self.rows[parent].origin, index as u32),
            None => NONE,
        };
        let varies = self.rows[parent].varies || matches!(member.count, Count::Fleet);
        let partial = self.rows[parent].partial || !member.only.is_empty();
        let called = member.called().as_bytes();
        let name = Hash::EMPTY.and(called, 0, called.len());
        let mut i = 0;
        while i < elements {
            let row = self.placed;
            self.placed += 1;
            let shift = if shift == 0 { row - first_row } else { shift };
            let origin = if source != NONE {
                source
            } else if shift == 0 {
                row as u32
            } else {
                self.rows[row - shift].origin
            };
            let label = extent.label.get(i);
            self.rows[row] = Row {
                node,
                parent: parent as u32,
                part: index as u32,
                end: 0,
                origin,
                position: if matches!(label, Label::None) { NONE } else { i as u32 },
                elements: elements as u32,
                named: matches!(label, Label::Name(_)),
                varies,
                partial,
                first: first && i == 0,
                ..self.texts(field, member, label, parent, name)
            };
            if !self.text.is_empty() {
                let (around, row) = (&self.rows[parent], &self.rows[row]);
                Writing { text: &mut *self.text, at: 0 }.row(around, row, field, member, label);
            }
            // Nothing is in a machine.
            if shift == 0 || !matches!(node.kind, Kind::Machine) {
                self.inside(node, row, shift);
            } else {
                self.rows[row].end = self.placed as u32;
            }
            i += 1;
        }
    }

    /// A machine is found by each of its roles.
    const fn roles(&mut self, node: &Node, parent: usize, index: usize, row: u32) {
        let count = node.parts.len();
        let mut i = 0;
        while i < count {
            if let Role::Taken(taken) = &node.parts[i].role
                && taken.is_found()
            {
                self.enter(taken.node.key, parent, index, row);
            }
            i += 1;
        }
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
