//! Whether a layout holds together: what only the whole tree can tell.
//!
//! The same functions run in the compiler, where they end in one panic that lists every problem, and at run time. Each family
//! of rules has a file; it finds problems as plain data, and says them in words. Whatever may be large is walked once, looked
//! up in tables, and never compared pair by pair: the compiler takes about a microsecond for a turn of a loop, and gives
//! up a constant after two million.

mod addresses;
mod cables;
mod dependencies;
mod detours;
mod elsewhere;
mod finding;
mod former;
mod implementations;
mod links;
mod macs;
mod members;
mod named;
mod names;
mod near;
mod needs;
mod overlaps;
mod pools;
mod provides;
mod roles;
mod shared;
mod starts;
#[cfg(test)]
mod tests;
mod users;
mod words;

use super::node::{Kind, Role};
use super::place::{Placements, Row, Size, slots_for};
use super::text::Text;
use finding::{Finding, Findings, Rule};

/// Bytes of a compiler message; more is cut after a whole problem.
const MESSAGE: usize = 32 * 1024;

impl Placements {
    /// Whether nothing seems wrong, as far as that can be told without texts.
    pub(crate) const fn seem_right<const SCRATCH: usize>(shapes: &[&'static Self]) -> bool {
        let mut i = 0;
        while i < shapes.len() {
            let mut scratch = [0; SCRATCH];
            if Check::of(shapes[i], &mut scratch).run().len() > 0 {
                return false;
            }
            i += 1;
        }
        true
    }

    /// Checks a layout in each of its profiles, with what [`Placements::scratch`] answers.
    ///
    /// # Panics
    /// When it does not hold together; the message lists every problem once.
    #[track_caller]
    pub const fn check<const SCRATCH: usize>(profiles: &[&'static Self]) {
        let (mut told, mut more) = (0, false);
        // The summary goes before it.
        let mut buffer = [0; MESSAGE - 256];
        let mut text = Text::new(&mut buffer);
        let mut i = 0;
        while i < profiles.len() {
            let mut scratch = [0; SCRATCH];
            let findings = Check::of(profiles[i], &mut scratch).run();
            if findings.len() > 0 {
                told += findings.tell(profiles[i], i > 0, &mut text);
                more = more || findings.has_more();
            }
            i += 1;
        }
        if told > 0 {
            let mut whole = [0; MESSAGE];
            let mut message = Text::new(&mut whole);
            message.str("`");
            message.str(profiles[0].rows[0].node.key.name());
            message.str("` does not hold together: ");
            if more {
                message.str("more than ");
            }
            message.number(told as u64);
            message.str(if told == 1 { " problem" } else { " problems" });
            message.str(text.as_str());
            panic!("{}", message.as_str());
        }
    }

    /// What [`Placements::check`] finds, one text for each problem.
    #[must_use]
    pub fn problems(&'static self) -> Vec<String> {
        let mut scratch = vec![0; self.size.scratch];
        let findings = Check::of(self, &mut scratch).run();
        let mut buffer = vec![0; MESSAGE];
        (0..findings.len())
            .map(|index| {
                let mut text = Text::new(&mut buffer);
                findings.get(index).tell(self, &findings, &mut text);
                text.as_str().to_owned()
            })
            .collect()
    }
}

/// The check of one layout under way. The lists are indexed by row, by link (of the first elements of arrays, in order) or by
/// reference.
struct Check<'a> {
    all: &'static Placements,
    size: Size,
    findings: Findings,
    /// Links, references and fixed addresses so far.
    links: u32,
    edges: u32,
    given: u32,
    /// Whether any reference is to something before, and whether any is to something behind.
    backwards: bool,
    forwards: bool,
    /// Whether any value is taken `from` a member.
    has_detours: bool,
    /// By row: its first link, and the one after its last.
    link_start: &'a mut [u32],
    link_end: &'a mut [u32],
    /// By link: the field, the network and the scope in which it was found ([`NONE`](super::place::NONE) if it was not), how
    /// it gets its address (see [`addresses`]), and the first fixed one.
    link_part: &'a mut [u32],
    link_network: &'a mut [u32],
    link_scope: &'a mut [u32],
    link_use: &'a mut [u32],
    link_first: &'a mut [u32],
    /// By row, of networks: the links that want an address of the pool, and the pool's addresses that links have fixed.
    pool_wanted: &'a mut [u32],
    pool_taken: &'a mut [u32],
    /// Addresses given, by network and address: a hash table of 1 + index into the lists of them and who has them.
    address_slots: &'a mut [u32],
    address_mask: usize,
    address: &'a mut [u32],
    address_network: &'a mut [u32],
    address_row: &'a mut [u32],
    address_link: &'a mut [u32],
    /// Fixed hardware addresses, by network: ditto.
    macs: u32,
    mac_slots: &'a mut [u32],
    mac_mask: usize,
    mac_row: &'a mut [u32],
    mac_link: &'a mut [u32],
    mac_network: &'a mut [u32],
    /// Machines by full name: a hash table of 1 + row.
    name_slots: &'a mut [u32],
    name_mask: usize,
    /// Machines by former name: ditto.
    former_slots: &'a mut [u32],
    /// Within one item: a hash table of 1 + something by name.
    field_slots: &'a mut [u32],
    /// By row: its first reference to a machine or enclave, and the one after its last.
    edge_start: &'a mut [u32],
    edge_end: &'a mut [u32],
    /// By reference: what it means, and where it is asked for.
    edge_to: &'a mut [u32],
    edge_part: &'a mut [u32],
    edge_item: &'a mut [u32],
    /// What machines inherit so far. By row: 1 + the last of what it inherits, and a mark of who needs it.
    inherited: u32,
    inherited_head: &'a mut [u32],
    marks: &'a mut [u32],
    /// By what is inherited: the reference, the scope that makes it, and 1 + the one before.
    inherited_edge: &'a mut [u32],
    inherited_from: &'a mut [u32],
    inherited_next: &'a mut [u32],
    /// Of a search for cycles, by row, field or entry: whether it was seen; by depth: the way, and what is next there.
    color: &'a mut [u32],
    way: &'a mut [u32],
    next: &'a mut [u32],
}

/// How many numbers [`Check::of`] needs.
pub(crate) const fn scratch(size: &Size) -> usize {
    let cycle = searched(size);
    6 * size.rows
        + 5 * size.links
        + 4 * size.addresses
        + 3 * size.references
        + slots_for(size.addresses)
        + 3 * size.macs
        + slots_for(size.macs)
        + slots_for(size.machines)
        + former(size)
        + slots_for(size.fields)
        + 2 * heirs(size)
        + 3 * size.inherited
        + 3 * cycle
}

/// Places in a hash table of former names.
const fn former(size: &Size) -> usize {
    if size.former == 0 { 0 } else { slots_for(size.former) }
}

/// Rows that may inherit something.
const fn heirs(size: &Size) -> usize {
    if size.inherited == 0 { 0 } else { size.rows }
}

/// Rows, fields or entries among which cycles are looked for.
const fn searched(size: &Size) -> usize {
    let most = if size.fields > size.rows { size.fields } else { size.rows };
    if size.entries > most { size.entries } else { most }
}

/// The next `count` numbers.
#[expect(clippy::mem_replace_with_default, reason = "`take` is not `const`")]
const fn take<'a>(rest: &mut &'a mut [u32], count: usize) -> &'a mut [u32] {
    let (taken, left) = std::mem::replace(rest, &mut []).split_at_mut(count);
    *rest = left;
    taken
}

impl<'a> Check<'a> {
    const fn of(all: &'static Placements, mut scratch: &'a mut [u32]) -> Self {
        let size = *all.size;
        let (rows, links, addresses, references) = (size.rows, size.links, size.addresses, size.references);
        let rest = &mut scratch;
        Self {
            all,
            size,
            findings: Findings::NONE,
            links: 0,
            edges: 0,
            given: 0,
            backwards: false,
            forwards: false,
            has_detours: false,
            link_start: take(rest, rows),
            link_end: take(rest, rows),
            link_part: take(rest, links),
            link_network: take(rest, links),
            link_scope: take(rest, links),
            link_use: take(rest, links),
            link_first: take(rest, links),
            pool_wanted: take(rest, rows),
            pool_taken: take(rest, rows),
            address_slots: take(rest, slots_for(addresses)),
            address_mask: slots_for(addresses) - 1,
            address: take(rest, addresses),
            address_network: take(rest, addresses),
            address_row: take(rest, addresses),
            address_link: take(rest, addresses),
            macs: 0,
            mac_slots: take(rest, slots_for(size.macs)),
            mac_mask: slots_for(size.macs) - 1,
            mac_row: take(rest, size.macs),
            mac_link: take(rest, size.macs),
            mac_network: take(rest, size.macs),
            name_slots: take(rest, slots_for(size.machines)),
            name_mask: slots_for(size.machines) - 1,
            former_slots: take(rest, former(&size)),
            field_slots: take(rest, slots_for(size.fields)),
            edge_start: take(rest, rows),
            edge_end: take(rest, rows),
            edge_to: take(rest, references),
            edge_part: take(rest, references),
            edge_item: take(rest, references),
            inherited: 0,
            inherited_head: take(rest, heirs(&size)),
            marks: take(rest, heirs(&size)),
            inherited_edge: take(rest, size.inherited),
            inherited_from: take(rest, size.inherited),
            inherited_next: take(rest, size.inherited),
            color: take(rest, searched(&size)),
            way: take(rest, searched(&size)),
            next: take(rest, searched(&size)),
        }
    }

    const fn run(mut self) -> Findings {
        let made =
            self.all.profile.implementation.is_some() || self.all.rows[0].node.implementation.is_some();
        let mut row = 0;
        while row < self.size.rows {
            let at = &self.all.rows[row];
            match at.node.kind {
                Kind::Machine => {
                    if at.partial || at.varies || !self.all.profile.makes.is_empty() {
                        self.special(row as u32, at);
                    }
                    self.name(row, at);
                    if !made {
                        self.implementation(at);
                    }
                }
                Kind::Network if at.first => {
                    self.pool(row, at);
                    self.named(row, at);
                }
                _ => {}
            }
            // What is wrong with the fields of an array's elements is wrong with the first's.
            if at.origin as usize == row {
                self.fields(row, at);
            }
            self.give(row, at);
            row += 1;
        }
        self.former();
        self.exhaustion();
        self.start_cycles();
        self.provides();
        if self.has_detours {
            self.detours();
        }
        self.findings.sort();
        self.findings
    }

    /// Looks up what a placement refers to.
    const fn fields(&mut self, row: usize, at: &Row) {
        self.link_start[row] = self.links;
        self.edge_start[row] = self.edges;
        self.dependencies(row as u32, at.node.depends_on);
        self.shared(row as u32, at.node);
        self.kept_out(row as u32);
        let parts = at.node.parts;
        let count = parts.len();
        let mut i = 0;
        while i < count {
            match &parts[i].role {
                Role::Link(link) => self.link(row, i, link, at.first),
                Role::Inject(need) => self.need(row as u32, i as u32, 0, need),
                Role::Provide(provide) => {
                    self.needs(row as u32, i as u32, 0, provide.needs);
                    if !provide.from.is_empty() {
                        self.elsewhere(row as u32, i as u32, provide);
                    }
                }
                Role::Customize(node) => {
                    if at.first {
                        self.users(row as u32, i as u32, at.node, node.tasks);
                    }
                    self.tasks(row as u32, i as u32, node.tasks);
                }
                Role::Member(member) => {
                    self.member(row as u32, i as u32, member);
                    self.placeable(row as u32, i as u32, member.node);
                }
                Role::Taken(taken) => self.takes_in(row as u32, i as u32, taken),
            }
            i += 1;
        }
        self.link_end[row] = self.links;
        self.overlaps(row);
        self.edge_end[row] = self.edges;
    }
}
