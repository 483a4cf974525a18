//! The first pass over a tree: how much there is, so that the second fills arrays of exactly that size.

use super::super::member::Member;
use super::super::node::{Kind, Node, Role};
use super::super::profile::Profile;
use super::super::text::digits;
use super::super::value::Need;
use super::extent::{Label, Outcome, Terms};

/// How large the [`Tables`](super::Tables) of a layout are, and the space that its check works in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// Placements, the layout itself included.
    pub rows: usize,
    /// Bytes of names and paths.
    pub text: usize,
    /// Members and provided values, each array's counted once.
    pub entries: usize,
    /// Places in a hash table of the entries.
    pub slots: usize,
    /// Numbers that [`Placements::check`](super::Placements::check) works with.
    pub scratch: usize,
    /// Links, each array's counted once.
    pub(crate) links: usize,
    /// Static addresses, those of every machine in an array.
    pub(crate) addresses: usize,
    /// Fixed hardware addresses, those of every machine in an array.
    pub(crate) macs: usize,
    /// Machines, every one in an array.
    pub(crate) machines: usize,
    /// Start dependencies and wanted placements, each array's counted once.
    pub(crate) references: usize,
    /// Start dependencies of scopes around that machines may inherit, each array's counted once.
    pub(crate) inherited: usize,
    /// The most fields that one item has.
    pub(crate) fields: usize,
    /// Former names of machines, and of what has none, those of every one in an array.
    pub(crate) former: usize,
}

/// What the texts of a placement's surroundings take.
#[derive(Clone, Copy)]
struct Around {
    path: usize,
    domain: usize,
    /// Start dependencies of the scopes around.
    inherited: usize,
    /// Whether this is the first of all arrays around.
    first: bool,
}

impl Size {
    const NONE: Self = Self {
        rows: 0,
        text: 0,
        entries: 0,
        slots: 0,
        scratch: 0,
        links: 0,
        addresses: 0,
        macs: 0,
        machines: 0,
        references: 0,
        inherited: 0,
        fields: 0,
        former: 0,
    };

    /// Of the tree below `node`, in this profile.
    #[must_use]
    pub const fn of(node: &Node, profile: &Profile) -> Self {
        Self::on(node, Terms { profile, outcomes: None })
    }

    /// Of the tree below `node`, as it was decided at run time. Nothing is looked up in it: it has no entries.
    pub(crate) const fn decided(node: &Node, profile: &Profile, outcomes: &[Outcome]) -> Self {
        let mut size = Self::on(node, Terms { profile, outcomes: Some(outcomes) });
        (size.entries, size.slots) = (0, 0);
        size
    }

    const fn on(node: &Node, terms: Terms<'_>) -> Self {
        let mut counting = Counting { size: Self::NONE, terms, next: 0 };
        let domain = match node.domain {
            Some(domain) => domain.len(),
            None => 0,
        };
        counting.size.text = node.name.len() + domain;
        counting.placement(node, Around { path: 0, domain, inherited: 0, first: true });
        let mut size = counting.size;
        size.slots = slots_for(size.entries);
        size.scratch = super::super::check::scratch(&size);
        size
    }
}

/// The tree while it is counted.
struct Counting<'a> {
    size: Size,
    terms: Terms<'a>,
    next: usize,
}

impl Counting<'_> {
    const fn placement(&mut self, node: &Node, mut around: Around) {
        self.size.rows += 1;
        if matches!(node.kind, Kind::Machine) {
            self.size.machines += 1;
        }
        let parts = node.parts;
        let count = parts.len();
        if count > self.size.fields {
            self.size.fields = count;
        }
        if around.first {
            self.size.entries += node.masks.len();
            self.size.references += node.depends_on.len() + node.shares_links.is_some() as usize;
            if matches!(node.kind, Kind::Machine) {
                self.size.inherited += around.inherited;
            }
            around.inherited += node.depends_on.len();
        }
        let mut i = 0;
        while i < count {
            match &parts[i].role {
                Role::Member(member) => self.member(parts[i].field, member, around),
                Role::Link(link) => {
                    if around.first {
                        self.size.links += 1;
                    }
                    if link.address.is_some() {
                        self.size.addresses += 1;
                    }
                    if link.mac.is_some() {
                        self.size.macs += 1;
                    }
                }
                Role::Provide(provide) if around.first => {
                    self.size.entries += 1;
                    self.needs(provide.needs);
                }
                Role::Customize(node) if around.first => {
                    let mut t = 0;
                    while t < node.tasks.len() {
                        self.needs(node.tasks[t].needs);
                        t += 1;
                    }
                }
                Role::Inject(need) if around.first => self.needs(&[*need]),
                Role::Taken(taken) if around.first && taken.is_found() => self.size.entries += 1,
                _ => {}
            }
            i += 1;
        }
    }

    const fn needs(&mut self, needs: &[Need]) {
        let count = needs.len();
        let mut i = 0;
        while i < count {
            if needs[i].mode.is_placed() {
                self.size.references += 1;
            }
            i += 1;
        }
    }

    const fn member(&mut self, field: &str, member: &Member, around: Around) {
        let path = field.len() + if around.path > 0 { around.path + 1 } else { 0 };
        let name = match member.name {
            Some(name) => name.len(),
            None => member.node.name.len(),
        };
        let extent = self.terms.extent(member, &mut self.next);
        let elements = extent.count;
        if around.first && elements > 0 {
            self.size.entries += 1;
            let mut other = 0;
            while other < member.is.len() {
                self.size.entries += member.is_found_by(other) as usize;
                other += 1;
            }
        }
        let has_former = !matches!(member.node.kind, Kind::Network);
        let mut i = 0;
        while i < elements {
            let before = self.size;
            if has_former {
                self.size.former += member.called_before().len();
            }
            // What tells it apart, with the mark before it.
            let (label, name) = match extent.label.get(i) {
                Label::None => (0, name),
                Label::Number(number) => (1 + digits(number as u64), name + 1 + digits(number as u64)),
                Label::Name(name) => (1 + name.len(), name.len()),
            };
            let path = path + label;
            let suffix = if around.domain > 0 { around.domain + 1 } else { 0 };
            self.size.text += 2 * path + name + suffix;
            let domain = match (member.domain_inside(), extent.label.get(i)) {
                (Some(domain), _) => domain.len() + label + suffix,
                (None, Label::Name(_)) if member.node.kind.is_container() => label - 1 + suffix,
                (None, _) => 0,
            };
            self.size.text += domain;
            let domain = if domain == 0 { around.domain } else { domain };
            let inside = Around { path, domain, first: around.first && i == 0, ..around };
            self.placement(member.node, inside);
            i += 1;
            if self.terms.outcomes.is_none() {
                i += self.alike(&before, i, elements);
            }
        }
    }

    /// Counts those after the `done` first of `elements` whose numbers are as long as the last one's: they are as large as that,
    /// which was counted since `before`. Answers how many they are.
    const fn alike(&mut self, before: &Size, done: usize, elements: usize) -> usize {
        let mut end = 10;
        while end <= done {
            end *= 10;
        }
        let last = if end - 1 < elements { end - 1 } else { elements };
        let (size, more) = (&mut self.size, last - done);
        size.rows += more * (size.rows - before.rows);
        size.text += more * (size.text - before.text);
        size.addresses += more * (size.addresses - before.addresses);
        size.macs += more * (size.macs - before.macs);
        size.machines += more * (size.machines - before.machines);
        size.former += more * (size.former - before.former);
        more
    }
}

/// A power of two of which at most half is used.
pub(crate) const fn slots_for(entries: usize) -> usize {
    let mut slots = 4;
    while slots < 2 * entries {
        slots *= 2;
    }
    slots
}
