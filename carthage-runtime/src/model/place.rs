//! Everything that a layout places, as constants: names, paths, and what encloses what.
//!
//! `#[layout]` writes, for `Industrial`, what a person would write by hand:
//!
//! ```
//! # use carthage::model::{At, Key, Kind, Node};
//! # const NODE: &Node = &Node::new(Kind::Layout, Key::new("demo", "Industrial", 1, 1), "industrial", At::new("demo.rs", 1));
//! # struct Industrial;
//! use carthage::model::{Placement, Placements, Profile, Size, Tables, Texts};
//!
//! const SIZE: Size = Size::of(NODE, Profile::NONE);
//! static TABLES: Tables<{ SIZE.rows }, { SIZE.entries }, { SIZE.slots }> =
//!     Tables::of(NODE, Profile::NONE, SIZE);
//! impl Industrial {
//!     pub const SHAPE: &Placements = &Placements::new(&TABLES);
//!     pub const PLACEMENTS: &Placements =
//!         &Self::SHAPE.with_texts(const { &Texts::<{ SIZE.text }>::of(Self::SHAPE) });
//!
//!     #[track_caller]
//!     pub const fn placement(path: &str) -> Placement {
//!         Self::PLACEMENTS.at(path)
//!     }
//! }
//! const _: () = Placements::check::<{ SIZE.scratch }>(&[Industrial::PLACEMENTS]);
//! ```

mod extent;
mod find;
mod former;
mod masks;
mod size;
mod tables;
mod texts;

use super::key::Key;
use super::node::{ImplementationNode, Kind, Node, Part};
use super::options::Policy;
use super::profile::Profile;
use super::text;
pub(crate) use extent::Outcome;
pub(crate) use former::Former;
pub use size::Size;
pub(crate) use size::slots_for;
pub use tables::Tables;
pub(crate) use tables::{Entry, Heap, NONE, Row, slot};
pub use texts::Texts;

/// Everything placed in a layout, in pre-order: fields in their order, an array's elements in theirs. The first is the
/// layout itself.
#[derive(Clone, Copy, Debug)]
pub struct Placements {
    pub(crate) size: &'static Size,
    pub(crate) profile: &'static Profile,
    /// The tables of the source, if these were decided at run time: what a reference means is looked up in them.
    pub(crate) shape: Option<&'static Placements>,
    pub(crate) rows: &'static [Row],
    /// Empty if nobody reads it: of shapes.
    pub(crate) text: &'static [u8],
    pub(crate) entries: &'static [Entry],
    pub(crate) sorted: &'static [u32],
    pub(crate) holds: &'static [u32],
    pub(crate) groups: &'static [u32],
}

impl Placements {
    /// What is in these tables: a shape, whose placements have no texts yet.
    #[must_use]
    pub const fn new<const ROWS: usize, const ENTRIES: usize, const SLOTS: usize>(
        tables: &'static Tables<ROWS, ENTRIES, SLOTS>,
    ) -> Self {
        Self {
            size: &tables.size,
            profile: tables.profile,
            shape: None,
            rows: &tables.rows,
            text: &[],
            entries: &tables.entries,
            sorted: &tables.sorted,
            holds: &tables.holds,
            groups: &tables.groups,
        }
    }

    /// With names and paths.
    #[must_use]
    pub const fn with_texts<const TEXT: usize>(&self, texts: &'static Texts<TEXT>) -> Self {
        Self { text: &texts.bytes, ..*self }
    }

    /// Bytes of names and paths.
    #[must_use]
    pub const fn text_len(&self) -> usize {
        self.size.text
    }

    /// The same for a tree that is only known at run time. It is never freed.
    #[must_use]
    pub fn leak(node: &'static Node) -> &'static Self {
        Self::kept(Heap::of(node, Profile::NONE), Profile::NONE, None)
    }

    /// The same of one of its profiles.
    #[cfg(test)]
    pub(crate) fn leak_in(node: &'static Node, profile: &'static Profile) -> &'static Self {
        Self::kept(Heap::of(node, profile), profile, None)
    }

    /// The layout as it was decided at run time, a word for each member that is decided, in pre-order. It is never freed.
    pub(crate) fn decided(&'static self, outcomes: &[Outcome]) -> &'static Self {
        Self::kept(Heap::decided(self, outcomes), self.profile, Some(self))
    }

    fn kept(tables: Heap, profile: &'static Profile, shape: Option<&'static Self>) -> &'static Self {
        let Heap { size, rows, text, entries, sorted, holds, groups } = tables;
        Box::leak(Box::new(Self {
            size: Box::leak(Box::new(size)),
            profile,
            shape,
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
    pub const fn scratch(profiles: &[&Self]) -> usize {
        let mut most = 0;
        let mut i = 0;
        while i < profiles.len() {
            if profiles[i].size.scratch > most {
                most = profiles[i].size.scratch;
            }
            i += 1;
        }
        most
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

    /// The field that holds `row`.
    pub(crate) const fn part(&self, row: u32) -> Option<&'static Part> {
        let row = &self.rows[row as usize];
        match row.parent {
            NONE => None,
            parent => Some(&self.rows[parent as usize].node.parts[row.part as usize]),
        }
    }

    /// The row after `row` and the other elements of its array or fleet, where `row` is the first of it.
    pub(crate) const fn after(&self, row: u32) -> u32 {
        let first = &self.rows[row as usize];
        // In the tables of the source they are all alike.
        if self.shape.is_none() {
            return row + first.elements * (first.end - row);
        }
        let mut left = first.elements;
        let mut at = row;
        while left > 0 {
            at = self.rows[at as usize].end;
            left -= 1;
        }
        at
    }

    /// The first row that the field at position `part` of `parent` holds; [`NONE`] if it holds nothing.
    pub(crate) const fn first_of(&self, parent: u32, part: u32) -> u32 {
        let end = self.rows[parent as usize].end;
        let mut row = parent + 1;
        while row < end {
            if self.rows[row as usize].part == part {
                return row;
            }
            row = self.after(row);
        }
        NONE
    }

    /// The tables in which references are looked up: these, or those of the source.
    pub(crate) const fn shape(&self) -> &Self {
        match self.shape {
            Some(shape) => shape,
            None => self,
        }
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

    /// Its place in its array or fleet, from 0; none outside of them.
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

    /// What machines here are made by: the nearest of its own and those around; what the profile says of one comes first.
    #[must_use]
    pub const fn implementation(self) -> Option<&'static ImplementationNode> {
        let profile = self.all.profile;
        let mut at = self;
        loop {
            if let Some(implementation) = profile.maker(at.key()) {
                return Some(implementation);
            }
            if at.row == 0 && profile.implementation.is_some() {
                return profile.implementation;
            }
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
