//! Whether a layout holds together: what only the whole tree can tell.
//!
//! The same functions run in the compiler, where they end in one panic that lists every problem, and at run time. Each family
//! of rules has a file; it finds problems as plain data, and says them in words. Whatever may be large is walked once, looked
//! up in tables, and never compared pair by pair: the compiler takes about a microsecond for a turn of a loop, and gives
//! up a constant after two million.

mod addresses;
mod dependencies;
mod finding;
mod implementations;
mod links;
mod names;
mod needs;
mod pools;
mod provides;
#[cfg(test)]
mod tests;
mod words;

use super::place::{Placements, Size, slots_for};
use super::text::Text;
use finding::{Finding, Findings, Rule};

/// Bytes of a compiler message; more is cut after a whole problem.
const MESSAGE: usize = 32 * 1024;

impl Placements {
    /// Checks the layout; `#[layout]` evaluates it in a constant, with the [`Size::scratch`] of the layout.
    ///
    /// # Panics
    /// When it does not hold together; the message lists every problem.
    #[track_caller]
    pub const fn check<const SCRATCH: usize>(&'static self) {
        let mut scratch = [0; SCRATCH];
        let findings = Check::of(self, &mut scratch).run();
        if findings.len() > 0 {
            let mut buffer = [0; MESSAGE];
            let mut text = Text::new(&mut buffer);
            findings.tell(self, &mut text);
            panic!("{}", text.as_str());
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
    /// By row: its first link, and the one after its last.
    link_start: &'a mut [u32],
    link_end: &'a mut [u32],
    /// By link: the field, the network and the scope in which it was found ([`NONE`](super::place::NONE) if it was not), and
    /// whether it has an address that is in order.
    link_part: &'a mut [u32],
    link_network: &'a mut [u32],
    link_scope: &'a mut [u32],
    link_static: &'a mut [u32],
    /// By row, of networks: the links that want an address of the pool, and the pool's addresses that links have fixed.
    pool_wanted: &'a mut [u32],
    pool_taken: &'a mut [u32],
    /// Addresses given, by network and address: a hash table of 1 + index into the two lists of who has it.
    address_slots: &'a mut [u32],
    address_row: &'a mut [u32],
    address_link: &'a mut [u32],
    /// Machines by full name: a hash table of 1 + row.
    name_slots: &'a mut [u32],
    /// Within one item: a hash table of 1 + something by name.
    field_slots: &'a mut [u32],
    /// By row: its first reference to a machine or enclave, and the one after its last.
    edge_start: &'a mut [u32],
    edge_end: &'a mut [u32],
    /// By reference: what it means, and where it is asked for.
    edge_to: &'a mut [u32],
    edge_part: &'a mut [u32],
    edge_item: &'a mut [u32],
    edges: u32,
    /// Of a search for cycles, by row or field: whether it was seen; by depth: the way, and what is next there.
    color: &'a mut [u32],
    way: &'a mut [u32],
    next: &'a mut [u32],
}

/// How many numbers [`Check::of`] needs.
pub(crate) const fn scratch(size: &Size) -> usize {
    let cycle = searched(size);
    6 * size.rows
        + 4 * size.links
        + 2 * size.addresses
        + 3 * size.references
        + slots_for(size.addresses)
        + slots_for(size.machines)
        + slots_for(size.fields)
        + 3 * cycle
}

/// Rows or fields among which cycles are looked for.
const fn searched(size: &Size) -> usize {
    if size.fields > size.rows { size.fields } else { size.rows }
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
            link_start: take(rest, rows),
            link_end: take(rest, rows),
            link_part: take(rest, links),
            link_network: take(rest, links),
            link_scope: take(rest, links),
            link_static: take(rest, links),
            pool_wanted: take(rest, rows),
            pool_taken: take(rest, rows),
            address_slots: take(rest, slots_for(addresses)),
            address_row: take(rest, addresses),
            address_link: take(rest, addresses),
            name_slots: take(rest, slots_for(size.machines)),
            field_slots: take(rest, slots_for(size.fields)),
            edge_start: take(rest, rows),
            edge_end: take(rest, rows),
            edge_to: take(rest, references),
            edge_part: take(rest, references),
            edge_item: take(rest, references),
            edges: 0,
            color: take(rest, searched(&size)),
            way: take(rest, searched(&size)),
            next: take(rest, searched(&size)),
        }
    }

    const fn run(mut self) -> Findings {
        self.implementations();
        self.names();
        self.links();
        self.pools();
        self.addresses();
        self.exhaustion();
        self.needs();
        self.start_cycles();
        self.provides();
        self.findings.sort();
        self.findings
    }

    /// Whether problems in fields of this row are reported here: an array's elements all have the same.
    const fn original(&self, row: usize) -> bool {
        self.all.rows[row].origin as usize == row
    }
}
