//! What a reference by type means at a place: one rule for the checks and for the runtime.
//!
//! Networks and placed things are looked for from the asking place outwards. In each scope a field that holds one comes first;
//! then one field anywhere inside; then the scope itself. An array is one field. Values come from the nearest scope that
//! provides one, the asking place itself being the first.

use std::net::Ipv4Addr;

use super::key::Key;
use super::login::Address;
use super::node::{Kind, Link, Part, Role};
use super::place::{Entry, NONE, Placement, Placements, Row, slot};
use super::text::same;
use super::value::Need;

/// What a reference means, in rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Meaning {
    /// The layout holds none.
    Missing,
    /// This one, and in arrays below the scope its likes in the other elements.
    One { scope: u32, target: u32 },
    /// Several in this scope.
    Several { scope: u32 },
}

impl Placements {
    /// What `key` means to the placement at `from`, which is its own origin; `field` tells apart.
    pub(crate) const fn meaning(&self, from: u32, key: u64, field: Option<&str>) -> Meaning {
        let mut scope = from;
        let mut group = None;
        while scope != NONE {
            let row = &self.rows[scope as usize];
            if row.end > scope + 1 {
                let entry = self.held(scope, key, true);
                if entry != NONE {
                    match self.direct(scope, entry, field) {
                        Meaning::Missing => {}
                        meaning => return meaning,
                    }
                }
                let first = match group {
                    Some(first) => first,
                    None => self.group(key),
                };
                group = Some(first);
                if first != NONE {
                    match self.inside(scope, row.end, first, field) {
                        Meaning::Missing => {}
                        meaning => return meaning,
                    }
                }
            }
            if scope != from && self.answers(scope, key) && self.called(scope, field) {
                return Meaning::One { scope, target: scope };
            }
            scope = row.parent;
        }
        Meaning::Missing
    }

    /// The first member entry with this key; [`NONE`] if there is none.
    const fn group(&self, key: u64) -> u32 {
        let slots = self.size.slots;
        let mut at = slot(key, 0, slots);
        loop {
            let entry = self.groups[at];
            if entry == NONE || self.entries[entry as usize].key == key {
                return entry;
            }
            at = (at + 1) & (slots - 1);
        }
    }

    /// The first entry for `key` in `container`, of members or of provided values.
    pub(crate) const fn held(&self, container: u32, key: u64, member: bool) -> u32 {
        let slots = self.size.slots;
        let mut at = slot(key, container, slots);
        loop {
            let index = self.holds[at];
            if index == NONE {
                return NONE;
            }
            let entry = &self.entries[index as usize];
            if entry.key == key && entry.container == container && (entry.target != NONE) == member {
                return index;
            }
            at = (at + 1) & (slots - 1);
        }
    }

    /// Whether what is placed at `row` has this key, or stands for what has.
    pub(crate) const fn answers(&self, row: u32, key: u64) -> bool {
        match self.part(row) {
            Some(Part { role: Role::Member(member), .. }) => member.answers_to(key),
            _ => self.rows[row as usize].node.key.id == key,
        }
    }

    const fn called(&self, row: u32, field: Option<&str>) -> bool {
        match (field, self.part(row)) {
            (None, _) => true,
            (Some(field), Some(part)) => same(part.field, field),
            (Some(_), None) => false,
        }
    }

    /// Among the members of `scope` with the key of `entry`, the first of them.
    const fn direct(&self, scope: u32, mut entry: u32, field: Option<&str>) -> Meaning {
        let mut meaning = Meaning::Missing;
        while entry != NONE {
            let Entry { target, twin, .. } = self.entries[entry as usize];
            if field.is_none() || self.called(target, field) {
                if !matches!(meaning, Meaning::Missing) {
                    return Meaning::Several { scope };
                }
                meaning = Meaning::One { scope, target };
            }
            entry = twin;
        }
        meaning
    }

    /// Among the rows between `scope` and `end`, of the group that starts with the entry `first`.
    const fn inside(&self, scope: u32, end: u32, first: u32, field: Option<&str>) -> Meaning {
        let Entry { start, len, .. } = self.entries[first as usize];
        let stop = start + len;
        let (mut low, mut high) = (start, stop);
        while low < high {
            let middle = low + (high - low) / 2;
            if self.sorted[middle as usize] <= scope {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        let mut meaning = Meaning::Missing;
        while low < stop && self.sorted[low as usize] < end {
            let target = self.sorted[low as usize];
            if field.is_none() || self.called(target, field) {
                if !matches!(meaning, Meaning::Missing) {
                    return Meaning::Several { scope };
                }
                meaning = Meaning::One { scope, target };
            }
            low += 1;
        }
        meaning
    }

    /// The entry of what provides `key` to the placement at `from`, which is its own origin; [`NONE`] if nothing does, or a
    /// scope on the way hides it.
    pub(crate) const fn provider(&self, from: u32, key: u64) -> u32 {
        let mut scope = from;
        while scope != NONE {
            let row = &self.rows[scope as usize];
            if row.provides {
                let entry = self.held(scope, key, false);
                if entry != NONE {
                    // A mask is of no field.
                    return if self.entries[entry as usize].part == NONE { NONE } else { entry };
                }
            }
            scope = row.parent;
        }
        NONE
    }

    /// The scope around `row`, or `row` itself, whose origin is `origin`.
    pub(crate) const fn like(&self, row: u32, origin: u32) -> u32 {
        let mut scope = row;
        while self.rows[scope as usize].origin != origin {
            scope = self.rows[scope as usize].parent;
        }
        scope
    }

    /// What is at the place below `row` at which `target` is below `scope` in the tables of the source; of several elements the
    /// first; [`NONE`] if nothing is.
    const fn below(&self, row: u32, scope: u32, target: u32) -> u32 {
        let Some(shape) = self.shape else { return row + (target - scope) };
        if target == scope {
            return row;
        }
        let Row { parent, part, .. } = shape.rows[target as usize];
        match self.below(row, scope, parent) {
            NONE => NONE,
            parent => self.first_of(parent, part),
        }
    }

    /// What the field at position `part` of `parent` holds.
    fn elements(&self, parent: u32, part: u32) -> impl Iterator<Item = u32> + use<> {
        let first = self.first_of(parent, part);
        let count = if first == NONE { 0 } else { self.rows[first as usize].elements };
        let rows = self.rows;
        (0..count).scan(first, move |row, _| {
            let this = *row;
            *row = rows[this as usize].end;
            Some(this)
        })
    }
}

/// Why a reference means nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unresolved {
    /// The layout holds none.
    Missing,
    /// This scope holds several, none nearer than the other.
    Ambiguous(Placement),
}

impl Placement {
    /// The placements that `key` means here: one, or all elements of an array. `field` tells two fields of one type apart.
    ///
    /// # Errors
    /// When the layout holds none, or several that are equally near.
    pub fn resolve(self, key: Key, field: Option<&str>) -> Result<Vec<Self>, Unresolved> {
        match self.all.shape().meaning(self.row().origin, key.id(), field) {
            Meaning::Missing => Err(Unresolved::Missing),
            Meaning::Several { scope } => {
                Err(Unresolved::Ambiguous(Self { all: self.all, row: self.all.like(self.row, scope) }))
            }
            Meaning::One { scope, target } => Ok(self.instances(scope, target)),
        }
    }

    /// What `target`, found in `scope`, is to this placement: the same fields below its own scope, in every element of the
    /// arrays and fleets on the way, as far as they are there.
    fn instances(self, scope: u32, target: u32) -> Vec<Self> {
        let (all, shape) = (self.all, self.all.shape());
        let (mut way, mut at) = (Vec::new(), target);
        while at != scope {
            let row = &shape.rows[at as usize];
            way.push(row.part);
            at = row.parent;
        }
        let mut found = vec![all.like(self.row, scope)];
        for part in way.into_iter().rev() {
            found = found.into_iter().flat_map(|row| all.elements(row, part)).collect();
        }
        found.into_iter().map(|row| Self { all, row }).collect()
    }

    /// The machine or network of this full name; or with this name in the domain of this place, or of one around.
    #[must_use]
    pub fn named(self, name: &str) -> Option<Self> {
        let has_name = |found: &Self| matches!(found.kind(), Kind::Machine | Kind::Network);
        let called = |full: &str| self.all.iter().filter(has_name).find(|found| found.fqdn() == full);
        self.scopes()
            .find_map(|scope| match scope.domain() {
                "" => called(name),
                domain => called(&format!("{name}.{domain}")),
            })
            .or_else(|| called(name))
    }

    /// The network that a link of this machine is plugged into; none if it is absent.
    #[must_use]
    pub const fn network(self, link: &Link) -> Option<Self> {
        match self.all.shape().meaning(self.row().origin, link.network.id(), None) {
            Meaning::One { scope, target } => {
                match self.all.below(self.all.like(self.row, scope), scope, target) {
                    NONE => None,
                    row => Some(Self { all: self.all, row }),
                }
            }
            _ => None,
        }
    }

    /// The fixed address of a link of this machine: in an array, each takes the next of the range.
    #[must_use]
    pub const fn fixed_address(self, link: &Link) -> Option<Ipv4Addr> {
        match (link.address, self.row().position) {
            (None, _) => None,
            (Some(range), NONE) => Some(range.first),
            (Some(range), position) => {
                Some(Ipv4Addr::from_bits(range.first.to_bits().saturating_add(position)))
            }
        }
    }

    /// Where this machine is by its own word: in an array, each takes the next of the range.
    pub(crate) fn login_address(self) -> Option<String> {
        Some(match (self.node().login?.address?, self.row().position) {
            (Address::Name(name), _) => name.to_owned(),
            (Address::Range(range), NONE) => range.first.to_string(),
            (Address::Range(range), position) => {
                Ipv4Addr::from_bits(range.first.to_bits().saturating_add(position)).to_string()
            }
        })
    }

    /// The scope that provides `key` to this placement, and its field.
    #[must_use]
    pub const fn provider(self, key: Key) -> Option<(Self, &'static Part)> {
        let shape = self.all.shape();
        match shape.provider(self.row().origin, key.id()) {
            NONE => None,
            entry => {
                let entry = &shape.entries[entry as usize];
                let scope = Self { all: self.all, row: self.all.like(self.row, entry.container) };
                Some((scope, &scope.node().parts[entry.part as usize]))
            }
        }
    }

    /// What this machine wants injected: by its own fields, and by the tasks of its customizations.
    pub fn needs(self) -> impl Iterator<Item = &'static Need> {
        self.node().parts.iter().flat_map(|part| {
            let (one, tasks): (Option<&Need>, &[_]) = match &part.role {
                Role::Inject(need) => (Some(need), &[]),
                Role::Customize(node) => (None, node.tasks),
                _ => (None, &[]),
            };
            one.into_iter().chain(tasks.iter().flat_map(|task| task.needs))
        })
    }
}
