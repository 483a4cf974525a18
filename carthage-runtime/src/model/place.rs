//! Everything that a layout places, as constants: names, paths, and what encloses what.
//!
//! `#[layout]` writes, for `Industrial`, what a person would write by hand:
//!
//! ```
//! # use carthage::model::{At, Key, Kind, Node};
//! # const NODE: &Node = &Node::new(Kind::Layout, Key::new("demo", "Industrial", 1, 1), "industrial", At::new("demo.rs", 1));
//! # struct Industrial;
//! use carthage::model::{Placement, Placements, Size, Tables};
//!
//! const SIZE: Size = Size::of(NODE);
//! static TABLES: Tables<{ SIZE.rows }, { SIZE.text }, { SIZE.entries }, { SIZE.slots }> = Tables::of(NODE, SIZE);
//! impl Industrial {
//!     pub const PLACEMENTS: &Placements = &Placements::new(&TABLES);
//!
//!     #[track_caller]
//!     pub const fn placement(path: &str) -> Placement {
//!         Self::PLACEMENTS.at(path)
//!     }
//! }
//! const _: () = Industrial::PLACEMENTS.check::<{ SIZE.scratch }>();
//! ```

mod size;
mod tables;

use super::key::Key;
use super::node::{ImplementationNode, Kind, Node, Part};
use super::options::Policy;
use super::text;
pub use size::Size;
pub(crate) use size::slots_for;
pub use tables::Tables;
pub(crate) use tables::{Entry, Heap, NONE, Row, slot};

/// Everything placed in a layout, in pre-order: fields in their order, an array's elements in theirs. The first is the
/// layout itself.
#[derive(Clone, Copy, Debug)]
pub struct Placements {
    pub(crate) size: &'static Size,
    pub(crate) rows: &'static [Row],
    pub(crate) text: &'static [u8],
    pub(crate) entries: &'static [Entry],
    pub(crate) sorted: &'static [u32],
    pub(crate) holds: &'static [u32],
    pub(crate) groups: &'static [u32],
}

impl Placements {
    /// What is in these tables.
    #[must_use]
    pub const fn new<const ROWS: usize, const TEXT: usize, const ENTRIES: usize, const SLOTS: usize>(
        tables: &'static Tables<ROWS, TEXT, ENTRIES, SLOTS>,
    ) -> Self {
        Self {
            size: &tables.size,
            rows: &tables.rows,
            text: &tables.text,
            entries: &tables.entries,
            sorted: &tables.sorted,
            holds: &tables.holds,
            groups: &tables.groups,
        }
    }

    /// The same for a tree that is only known at run time. It is never freed.
    #[must_use]
    pub fn leak(node: &'static Node) -> &'static Self {
        let Heap { size, rows, text, entries, sorted, holds, groups } = Heap::of(node);
        Box::leak(Box::new(Self {
            size: Box::leak(Box::new(size)),
            rows: rows.leak(),
            text: text.leak(),
            entries: entries.leak(),
            sorted: sorted.leak(),
            holds: holds.leak(),
            groups: groups.leak(),
        }))
    }

    /// How many there are, the layout included.
    #[must_use]
    #[expect(clippy::len_without_is_empty, reason = "the layout itself is always there")]
    pub const fn len(&self) -> usize {
        self.rows.len()
    }

    /// Words of memory that [`Placements::check`] works with.
    #[must_use]
    pub const fn scratch(&self) -> usize {
        self.size.scratch
    }

    /// The layout itself.
    #[must_use]
    pub const fn layout(&'static self) -> Placement {
        Placement { all: self, row: 0 }
    }

    /// The one with this number.
    #[must_use]
    pub const fn get(&'static self, index: usize) -> Option<Placement> {
        if index < self.rows.len() { Some(Placement { all: self, row: index as u32 }) } else { None }
    }

    /// All of them.
    pub fn iter(&'static self) -> impl ExactSizeIterator<Item = Placement> + DoubleEndedIterator {
        (0..self.rows.len() as u32).map(move |row| Placement { all: self, row })
    }

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
                let mut number = 0;
                while start < bytes.len() && bytes[start].is_ascii_digit() && number < NONE as u64 {
                    number = number * 10 + (bytes[start] - b'0') as u64;
                    start += 1;
                }
                let first = self.rows[row as usize];
                if number == 0
                    || number > first.elements as u64
                    || (start < bytes.len() && bytes[start] != b'.')
                {
                    return None;
                }
                row += (number as u32 - 1) * (first.end - row);
                start += 1;
            }
        }
        // A path that ends in a dot is none.
        if start == bytes.len() && start > 0 { None } else { Some(Placement { all: self, row }) }
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
                let mut message = text::Text::new(&mut buffer);
                self.not_found(&mut message, path);
                panic!("{}", message.as_str())
            }
        }
    }

    const fn not_found(&'static self, message: &mut text::Text<'_>, path: &str) {
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
                let count = field.len();
                let mut same = count == end - start;
                let mut i = 0;
                while same && i < count {
                    same = field[i] == bytes[start + i];
                    i += 1;
                }
                if same {
                    return Some(row);
                }
            }
            row = self.after(row);
        }
        None
    }

    /// The field that holds `row`.
    pub(crate) const fn part(&self, row: u32) -> Option<&'static Part> {
        let row = &self.rows[row as usize];
        match row.parent {
            NONE => None,
            parent => Some(&self.rows[parent as usize].node.parts[row.part as usize]),
        }
    }

    /// The row after `row` and the other elements of its array, where `row` is the first of it.
    pub(crate) const fn after(&self, row: u32) -> u32 {
        let first = &self.rows[row as usize];
        row + first.elements * (first.end - row)
    }
}

/// One thing placed in a layout: the layout, an enclave, a network or a machine. In an array, one element.
#[derive(Clone, Copy)]
pub struct Placement {
    pub(crate) all: &'static Placements,
    pub(crate) row: u32,
}

impl Placement {
    pub(crate) const fn row(self) -> &'static Row {
        &self.all.rows[self.row as usize]
    }

    /// Everything placed in the layout.
    #[must_use]
    pub const fn all(self) -> &'static Placements {
        self.all
    }

    /// Its number in pre-order; the layout is 0.
    #[must_use]
    pub const fn index(self) -> usize {
        self.row as usize
    }

    /// The number after the last of what is inside.
    #[must_use]
    pub const fn end(self) -> usize {
        self.row().end as usize
    }

    /// What is placed here.
    #[must_use]
    pub const fn node(self) -> &'static Node {
        self.row().node
    }

    /// What it is.
    #[must_use]
    pub const fn kind(self) -> Kind {
        self.row().node.kind
    }

    /// The injection key of its type.
    #[must_use]
    pub const fn key(self) -> Key {
        self.row().node.key
    }

    /// The field that holds it; none for the layout.
    #[must_use]
    pub const fn part(self) -> Option<&'static Part> {
        self.all.part(self.row)
    }

    /// The name of that field; empty for the layout.
    #[must_use]
    pub const fn field(self) -> &'static str {
        match self.part() {
            Some(part) => part.field,
            None => "",
        }
    }

    /// The fields that lead to it, `algebra.workers.2`: elements of arrays are numbered from 1. Empty for the layout.
    #[must_use]
    pub const fn path(self) -> &'static str {
        let row = self.row();
        text::str(self.all.text, row.text as usize, row.path_len as usize)
    }

    /// The directory of its stamps, relative to the layout's: `algebra/workers/2`.
    #[must_use]
    pub const fn stamp_dir(self) -> &'static str {
        let row = self.row();
        text::str(self.all.text, (row.text + row.path_len) as usize, row.path_len as usize)
    }

    /// Its short name, `worker-2`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        let row = self.row();
        text::str(self.all.text, (row.text + 2 * row.path_len) as usize, row.name_len as usize)
    }

    /// Its name with the domains around it, `worker-2.algebra`.
    #[must_use]
    pub const fn fqdn(self) -> &'static str {
        let row = self.row();
        text::str(self.all.text, (row.text + 2 * row.path_len) as usize, row.full_len as usize)
    }

    /// The domain of what is inside; of a machine or network, the one that it is in. Empty where there is none.
    ///
    /// The elements of an array of enclaves have numbered domains: `desk-2.example` for `domain = "desk.example"`.
    #[must_use]
    pub const fn domain(self) -> &'static str {
        let row = self.row();
        text::str(self.all.text, row.domain as usize, row.domain_len as usize)
    }

    /// Its place in its array, from 0; none outside of arrays.
    #[must_use]
    pub const fn position(self) -> Option<usize> {
        match self.row().position {
            NONE => None,
            position => Some(position as usize),
        }
    }

    /// What encloses it.
    #[must_use]
    pub const fn parent(self) -> Option<Self> {
        match self.row().parent {
            NONE => None,
            row => Some(Self { all: self.all, row }),
        }
    }

    /// What machines here are made by: the nearest of its own and those around.
    #[must_use]
    pub const fn implementation(self) -> Option<&'static ImplementationNode> {
        let mut at = self;
        loop {
            if let Some(implementation) = at.node().implementation {
                return Some(implementation);
            }
            match at.parent() {
                Some(parent) => at = parent,
                None => return None,
            }
        }
    }

    /// What becomes of it without anybody naming it: of each question, the nearest answer of its own and those around.
    #[must_use]
    pub const fn policy(self) -> Policy {
        let mut at = self;
        let mut policy = Policy::INHERITED;
        loop {
            let Policy { destroy, orphan, auto_deploy } = at.node().policy;
            if policy.destroy.is_none() {
                policy.destroy = destroy;
            }
            if policy.orphan.is_none() {
                policy.orphan = orphan;
            }
            if policy.auto_deploy.is_none() {
                policy.auto_deploy = auto_deploy;
            }
            match at.parent() {
                Some(parent) => at = parent,
                None => return policy,
            }
        }
    }

    /// What its fields hold, every element of an array, in order.
    pub fn children(self) -> impl Iterator<Item = Self> {
        let all = self.all;
        let end = self.row().end;
        let next = move |row: u32| (row < end).then_some(Self { all, row });
        std::iter::successors(next(self.row + 1), move |child| next(child.row().end))
    }

    /// Itself and everything inside.
    pub fn subtree(self) -> impl ExactSizeIterator<Item = Self> + DoubleEndedIterator {
        let all = self.all;
        (self.row..self.row().end).map(move |row| Self { all, row })
    }

    /// Itself and what encloses it, the layout last.
    pub fn scopes(self) -> impl Iterator<Item = Self> {
        std::iter::successors(Some(self), |at| at.parent())
    }

    const fn list_children(self, message: &mut text::Text<'_>) {
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

impl PartialEq for Placement {
    fn eq(&self, other: &Self) -> bool {
        self.row == other.row && std::ptr::eq(self.all.rows, other.all.rows)
    }
}
impl Eq for Placement {}

impl std::hash::Hash for Placement {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.row.hash(state);
    }
}

impl std::fmt::Debug for Placement {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Placement({:?} {})", self.kind(), self.path())
    }
}
