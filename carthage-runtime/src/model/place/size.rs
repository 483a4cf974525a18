//! The first pass over a tree: how much there is, so that the second fills arrays of exactly that size.

use super::super::node::{Count, Kind, Member, Mode, Need, Node, Role};
use super::super::text::digits;

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
    /// The most fields that one item has.
    pub(crate) fields: usize,
}

/// What the texts of a placement's surroundings take.
#[derive(Clone, Copy)]
struct Around {
    path: usize,
    domain: usize,
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
        fields: 0,
    };

    /// Of the tree below `node`.
    #[must_use]
    pub const fn of(node: &Node) -> Self {
        let mut size = Self::NONE;
        let domain = match node.domain {
            Some(domain) => domain.len(),
            None => 0,
        };
        size.text = node.name.len() + domain;
        size.placement(node, Around { path: 0, domain, first: true });
        size.slots = slots_for(size.entries);
        size.scratch = super::super::check::scratch(&size);
        size
    }

    const fn placement(&mut self, node: &Node, around: Around) {
        self.rows += 1;
        if matches!(node.kind, Kind::Machine) {
            self.machines += 1;
        }
        let parts = node.parts;
        let count = parts.len();
        if count > self.fields {
            self.fields = count;
        }
        if around.first {
            self.references += node.depends_on.len();
        }
        let mut i = 0;
        while i < count {
            match &parts[i].role {
                Role::Member(member) => self.member(parts[i].field, member, around),
                Role::Link(link) => {
                    if around.first {
                        self.links += 1;
                    }
                    if link.address.is_some() {
                        self.addresses += 1;
                    }
                    if link.mac.is_some() {
                        self.macs += 1;
                    }
                }
                Role::Provide(provide) if around.first => {
                    self.entries += 1;
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
                _ => {}
            }
            i += 1;
        }
    }

    const fn needs(&mut self, needs: &[Need]) {
        let count = needs.len();
        let mut i = 0;
        while i < count {
            if matches!(needs[i].mode, Mode::Placed) {
                self.references += 1;
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
        let (elements, array) = match member.count {
            Count::One => (1, false),
            Count::Array(elements) => (elements, true),
        };
        if around.first && elements > 0 {
            self.entries += 1;
        }
        let mut i = 0;
        while i < elements {
            // The number and the mark before it.
            let number = if array { 1 + digits(i as u64 + 1) } else { 0 };
            let path = path + number;
            let suffix = if around.domain > 0 { around.domain + 1 } else { 0 };
            self.text += 2 * path + name + number + suffix;
            let domain = match member.node.domain {
                Some(domain) => {
                    let domain = domain.len() + number + suffix;
                    self.text += domain;
                    domain
                }
                None => around.domain,
            };
            self.placement(member.node, Around { path, domain, first: around.first && i == 0 });
            i += 1;
        }
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
