//! Roles: what a machine has by taking in a bundle of parts.
//!
//! A machine's parts are its own, in their order, followed by those of each role that it takes in, and of the roles that those take in.
//! A role that is reached by several ways is there once. Parts of a role are called by the way that leads to them: `web.page`.

use super::hardware::or;
use super::key::{At, Key};
use super::node::{Kind, Link, Node, Part, Role};
use super::text;

/// Parts that a machine may have, all roles included.
const MOST: usize = 96;
/// Bytes that their names may take together.
const TEXT: usize = 4096;

/// What is not a part yet. It refers to nothing: an incremental compiler walks, once more for each reference, all that one leads to.
const UNUSED: Part = Part::new("", At::new("", 0), Role::Link(Link::new(Key::new("", "", 0, 0), "")));

/// A `#[role]` field.
#[derive(Clone, Copy, Debug)]
pub struct Taken {
    /// The role's description.
    pub node: &'static Node,
    /// Its own parts, without those of roles that it takes in itself.
    parts: &'static [Part],
    /// Where its parts begin among those of the machine.
    pub(crate) first: usize,
    /// Whether it is what the machine's root is made from.
    pub is_image: bool,
    /// Whether another field has taken in the same role before.
    pub(crate) again: bool,
}

impl Taken {
    /// This role, with its own parts.
    #[must_use]
    pub const fn new(node: &'static Node, parts: &'static [Part]) -> Self {
        Self { node, parts, first: 0, is_image: false, again: false }
    }

    /// As what the machine's root is made from.
    #[must_use]
    pub const fn as_image(mut self) -> Self {
        self.is_image = true;
        self
    }

    /// Whether the machine is found by it. What is no role is reported as that, and stands for nothing.
    pub(crate) const fn is_found(&self) -> bool {
        !self.again && matches!(self.node.kind, Kind::Role | Kind::Image | Kind::Machine | Kind::Trait)
    }

    /// The positions of its own parts.
    pub(crate) const fn own(&self) -> std::ops::Range<usize> {
        self.first..self.first + self.parts.len()
    }
}

/// The parts of a machine, with those of its roles.
///
/// ```
/// use carthage::model::{At, Key, Kind, Node, Part, Role, Taken, TakenIn};
/// const WEB: &Node = &Node::new(Kind::Role, Key::new("demo", "Web", 1, 1), "web", At::new("demo.rs", 1));
/// const OWN: &[Part] = &[Part::new("web", At::new("demo.rs", 7), Role::Taken(Taken::new(WEB, &[])))];
/// const ALL: &TakenIn = &TakenIn::of(OWN);
/// const PARTS: &[Part] = TakenIn::called(ALL).parts();
/// assert_eq!(PARTS.len(), 1);
/// ```
#[derive(Debug)]
pub struct TakenIn {
    parts: [Part; MOST],
    count: usize,
    text: [u8; TEXT],
    /// Where each name is in `text`.
    names: [(usize, usize); MOST],
    used: usize,
}

impl TakenIn {
    /// A machine's own parts, and what they take in.
    ///
    /// # Panics
    /// When that is more than a machine may have; in a constant that is a compile error there.
    #[must_use]
    pub const fn of(own: &'static [Part]) -> Self {
        let mut all =
            Self { parts: [UNUSED; MOST], count: 0, text: [0; TEXT], names: [(0, 0); MOST], used: 0 };
        let mut i = 0;
        while i < own.len() {
            all.push(all.used, &own[i]);
            i += 1;
        }
        all.take_all(0, own.len());
        all
    }

    /// The same, with each part called by the way that leads to it.
    #[must_use]
    pub const fn called(&'static self) -> Called {
        let mut parts = self.parts;
        let mut i = 0;
        while i < self.count {
            let (start, end) = self.names[i];
            parts[i].field = text::str(&self.text, start, end - start);
            i += 1;
        }
        Called { parts, count: self.count }
    }

    const fn take_all(&mut self, first: usize, end: usize) {
        let mut i = first;
        while i < end {
            if let Role::Taken(taken) = self.parts[i].role {
                self.take(i, taken);
            }
            i += 1;
        }
    }

    const fn take(&mut self, at: usize, taken: Taken) {
        let mut other = 0;
        while other < self.count {
            if let Role::Taken(earlier) = &self.parts[other].role
                && earlier.first > 0
                && earlier.node.key.is(taken.node.key)
            {
                self.parts[at].role = Role::Taken(Taken { first: earlier.first, again: true, ..taken });
                return;
            }
            other += 1;
        }
        let first = self.count;
        self.parts[at].role = Role::Taken(Taken { first, ..taken });
        let own = taken.parts;
        let mut i = 0;
        while i < own.len() {
            self.push_below(at, &own[i]);
            i += 1;
        }
        self.take_all(first, first + own.len());
    }

    const fn push_below(&mut self, above: usize, part: &Part) {
        let (start, end) = self.names[above];
        let from = self.used;
        let mut i = start;
        while i < end {
            self.byte(self.text[i]);
            i += 1;
        }
        self.byte(b'.');
        self.push(from, part);
    }

    /// A part whose name began at `from`.
    const fn push(&mut self, from: usize, part: &Part) {
        let field = part.field.as_bytes();
        let mut i = 0;
        while i < field.len() {
            self.byte(field[i]);
            i += 1;
        }
        assert!(self.count < MOST, "a machine takes in more than 96 parts with its roles");
        self.parts[self.count] = *part;
        self.names[self.count] = (from, self.used);
        self.count += 1;
    }

    const fn byte(&mut self, byte: u8) {
        assert!(
            self.used < TEXT,
            "the parts that a machine takes in have names of more than 4096 bytes in all"
        );
        self.text[self.used] = byte;
        self.used += 1;
    }
}

/// The parts of a machine, with those of its roles, by their names.
#[derive(Debug)]
pub struct Called {
    parts: [Part; MOST],
    count: usize,
}

impl Called {
    /// In their order.
    #[must_use]
    pub const fn parts(&self) -> &[Part] {
        self.parts.split_at(self.count).0
    }
}

/// Whether a machine says itself which links it has.
const fn has_link(own: &[Part]) -> bool {
    let mut i = 0;
    while i < own.len() {
        if let Role::Link(_) = own[i].role {
            return true;
        }
        i += 1;
    }
    false
}

impl Node {
    /// With what it does not say itself, as the image and the machines' models say that it takes in. Lists are not joined. What makes
    /// it, and what becomes of it, are its own affair.
    #[must_use]
    pub const fn inheriting(mut self, own: &'static [Part]) -> Self {
        let mut i = 0;
        while i < own.len() {
            if let Role::Taken(taken) = &own[i].role {
                let of = taken.node;
                if matches!(of.kind, Kind::Image) {
                    self.hardware.root = or(self.hardware.root, of.hardware.root);
                    self.hardware.image = or(self.hardware.image, of.hardware.image);
                } else if matches!(of.kind, Kind::Machine) {
                    self.hardware = self.hardware.or(of.hardware);
                    self.surroundings = self.surroundings.or(of.surroundings);
                    self.login = if self.login.is_some() { self.login } else { of.login };
                    self.shares_links = match self.shares_links {
                        None if !has_link(own) => of.shares_links,
                        own => own,
                    };
                    self.tags = if self.tags.is_empty() { of.tags } else { self.tags };
                    self.readonly = self.readonly || of.readonly;
                    self.depends_on =
                        if self.depends_on.is_empty() { of.depends_on } else { self.depends_on };
                    self.starts = if self.starts.is_all() { of.starts } else { self.starts };
                }
            }
            i += 1;
        }
        self
    }

    /// The positions of a machine's own parts: those of what it takes in first come right behind them.
    pub(crate) fn own_parts(&self) -> std::ops::Range<usize> {
        0..self.roles().next().map_or(self.parts.len(), |taken| taken.first)
    }

    /// The roles that a machine takes in, each once.
    pub(crate) fn roles(&self) -> impl Iterator<Item = &'static Taken> + use<> {
        let parts = self.parts;
        parts.iter().filter_map(|part| match &part.role {
            Role::Taken(taken) if !taken.again => Some(taken),
            _ => None,
        })
    }

    /// Whether a machine takes in the role with this key.
    pub(crate) const fn has_role(&self, key: u64) -> bool {
        let mut i = 0;
        while i < self.parts.len() {
            if let Role::Taken(taken) = &self.parts[i].role
                && taken.is_found()
                && taken.node.key.id() == key
            {
                return true;
            }
            i += 1;
        }
        false
    }
}
