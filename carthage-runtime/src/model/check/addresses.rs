//! Fixed addresses are ones that a machine on the network can have, one for each machine, and nobody else's.

use super::super::node::{Range4, Role};
use super::super::place::{NONE, Placements, slot};
use super::super::text::Text;
use super::words::{
    LINE, cidr, element, ends, field_of, model, part_at, placed_at, placement, quoted, range, usable,
};
use super::{Check, Finding, Rule};

impl Check<'_> {
    pub(super) const fn addresses(&mut self) {
        let mut row = 0;
        while row < self.size.rows {
            if self.original(row) {
                let mut link = self.link_start[row] as usize;
                while link < self.link_end[row] as usize {
                    if self.link_network[link] != NONE {
                        self.fixed(row, link);
                    }
                    link += 1;
                }
            }
            row += 1;
        }
        self.duplicates();
    }

    /// A link's own address or range.
    const fn fixed(&mut self, row: usize, link: usize) {
        let part = self.link_part[link];
        let Some(given) = self.address(row, part) else { return };
        let network = self.link_network[link];
        let (first, last) = (given.first.to_bits(), given.last.to_bits());
        let mut finding = Finding::new(Rule::AddressReversed, row as u32, part).with(network, 0);
        // The same model in another place is the same mistake.
        finding.subject = self.all.rows[row].node.key.id() ^ (part as u64 + 1);
        if first > last {
            self.findings.add(finding);
            return;
        }
        let machines = self.all.rows[row].elements;
        if last as u64 - first as u64 + 1 != machines as u64 {
            finding.rule = Rule::AddressCount;
            let subject = finding.subject ^ ((machines as u64) << 32);
            self.findings.add(finding.with(network, machines).subject(subject));
            return;
        }
        let Some(subnet) = self.all.rows[network as usize].node.addressing.v4 else {
            finding.rule = Rule::AddressWithoutSubnet;
            self.findings.add(finding);
            return;
        };
        let (lowest, highest) = ends(subnet);
        let (usable_first, usable_last) = usable(subnet);
        if first < lowest || last > highest {
            finding.rule = Rule::AddressOutside;
            self.findings.add(finding);
        } else if first < usable_first || last > usable_last {
            finding.rule = Rule::AddressReserved;
            self.findings.add(finding);
        } else {
            self.link_static[link] = 1;
        }
    }

    const fn address(&self, row: usize, part: u32) -> Option<Range4> {
        match &self.all.rows[row].node.parts[part as usize].role {
            Role::Link(link) => link.address,
            _ => None,
        }
    }

    /// Gives every machine its fixed addresses, and counts those of pools.
    const fn duplicates(&mut self) {
        let slots = self.address_slots.len();
        let mut given = 0;
        let mut row = 0;
        while row < self.size.rows {
            let origin = self.all.rows[row].origin as usize;
            let mut link = self.link_start[origin] as usize;
            while link < self.link_end[origin] as usize {
                if self.link_static[link] == 1 {
                    let network = self.plugged(row as u32, link);
                    let address = self.nth(row, link);
                    let mut at = slot(address as u64, network, slots);
                    let mut other = None;
                    while self.address_slots[at] != 0 {
                        let known = self.address_slots[at] as usize - 1;
                        let (has, by) = (self.address_row[known], self.address_link[known] as usize);
                        if self.nth(has as usize, by) == address && self.plugged(has, by) == network {
                            other = Some(has);
                            break;
                        }
                        at = (at + 1) & (slots - 1);
                    }
                    match other {
                        Some(other) => {
                            let part = self.link_part[link];
                            let finding = Finding::new(Rule::DuplicateAddress, row as u32, part)
                                .item(
                                    self.link_part
                                        [self.address_link[self.address_slots[at] as usize - 1] as usize],
                                )
                                .with(other, network)
                                .subject(link as u64 + 1);
                            self.findings.add(finding);
                        }
                        None => {
                            self.address_row[given as usize] = row as u32;
                            self.address_link[given as usize] = link as u32;
                            given += 1;
                            self.address_slots[at] = given;
                            self.reserve(network, address);
                        }
                    }
                }
                link += 1;
            }
            row += 1;
        }
    }

    /// The address of the machine at `row` by `link`.
    const fn nth(&self, row: usize, link: usize) -> u32 {
        nth(self.all, row as u32, self.link_part[link])
    }

    const fn reserve(&mut self, network: u32, address: u32) {
        if let Some(pool) = self.all.rows[network as usize].node.addressing.pool
            && pool.first.to_bits() <= address
            && address <= pool.last.to_bits()
        {
            self.pool_taken[network as usize] += 1;
        }
    }
}

/// The fixed address of the machine at `row` by the link in its field `part`: an array's machines take one each.
const fn nth(all: &'static Placements, row: u32, part: u32) -> u32 {
    let Role::Link(link) = &part_at(all, row, part).role else { return 0 };
    match placement(all, row).fixed_address(link) {
        Some(address) => address.to_bits(),
        None => 0,
    }
}

pub(super) const fn tell(finding: &Finding, all: &'static Placements, text: &mut Text<'_>) {
    if matches!(finding.rule, Rule::DuplicateAddress) {
        return twice(finding, all, text);
    }
    let (row, part) = (finding.row, part_at(all, finding.row, finding.part));
    let Role::Link(link) = &part.role else { return };
    let Some(given) = link.address else { return };
    let first = given.first.to_bits();
    field_of(text, all, row, finding.part);
    text.str(if given.first.to_bits() == given.last.to_bits() {
        " has the address "
    } else {
        " has the addresses "
    });
    range(text, given);
    let subnet = all.rows[finding.a as usize].node.addressing.v4;
    match (finding.rule, subnet) {
        (Rule::AddressReversed, _) => text.str(", which end before they begin"),
        (Rule::AddressCount, _) if finding.b == 1 => text.str(" for one machine"),
        (Rule::AddressCount, _) => {
            text.str(" for the ");
            text.number(finding.b as u64);
            text.str(" machines of its array");
        }
        (Rule::AddressOutside, Some(subnet)) => {
            text.str(", outside of its network ");
            model(text, all, finding.a);
            text.str(", ");
            cidr(text, subnet);
        }
        (Rule::AddressReserved, Some(subnet)) => {
            text.str(if first == ends(subnet).0 {
                ", the address of its network "
            } else {
                ", with the broadcast address of its network "
            });
            model(text, all, finding.a);
            text.str(" itself, ");
            cidr(text, subnet);
        }
        _ => {
            text.str(", but its network ");
            model(text, all, finding.a);
            text.str(" has no subnet");
        }
    }
    both_ends(text, all, finding);
    text.str(LINE);
    match (finding.rule, subnet) {
        (Rule::AddressCount, _) => {
            text.str("write `address = \"");
            text.address(first);
            if finding.b > 1 {
                text.str("-");
                text.address(first.saturating_add(finding.b - 1));
            }
            text.str("\"`");
        }
        (Rule::AddressReversed, _) => text.str("write the lower end first"),
        (_, Some(subnet)) => {
            text.str("write one of ");
            text.address(usable(subnet).0);
            text.str("-");
            text.address(usable(subnet).1);
        }
        _ => {
            text.str("write `v4 = \"…/…\"` in the `#[network(…)]` of ");
            model(text, all, finding.a);
            text.str(", or leave the address out");
        }
    }
}

/// The lines of the link and of the network.
const fn both_ends(text: &mut Text<'_>, all: &'static Placements, finding: &Finding) {
    text.str(LINE);
    text.str("link: ");
    text.at(part_at(all, finding.row, finding.part).at);
    text.str(", network: ");
    text.at(all.rows[finding.a as usize].node.at);
}

const fn twice(finding: &Finding, all: &'static Placements, text: &mut Text<'_>) {
    let (row, other, network) = (finding.row, finding.a, finding.b);
    text.str("the address ");
    text.address(nth(all, row, finding.part));
    text.str(" on ");
    element(text, all, network);
    placed_at(text, all, network);
    text.str(" is given twice");
    holder(text, all, other, finding.item);
    holder(text, all, row, finding.part);
    text.str(LINE);
    let array = all.rows[all.rows[row as usize].parent as usize].position != NONE;
    if array && all.rows[row as usize].origin == all.rows[other as usize].origin {
        text.str("the machines of an array of enclaves have the same fixed address: hold the network inside the enclave, or leave the address to a pool");
    } else if all.rows[network as usize].node.addressing.pool.is_some() {
        text.str("write another address at one of them, or none: the pool has one");
    } else {
        text.str("write another address at one of them");
    }
}

const fn holder(text: &mut Text<'_>, all: &'static Placements, row: u32, part: u32) {
    let part = part_at(all, row, part);
    text.str(LINE);
    text.str("to ");
    quoted(text, part.field);
    text.str(" of ");
    element(text, all, row);
    text.str(": ");
    text.at(part.at);
}
