//! Fixed addresses are ones that a machine on the network can have, one for each machine, and nobody else's.

use super::super::addressing::Addressing;
use super::super::node::{Link, Role};
use super::super::place::{NONE, Placements, Row, slot};
use super::super::text::Text;
use super::words::{
    LINE, cidr, element, ends, field_of, model, part_at, placed_at, placement, quoted, range, usable,
};
use super::{Check, Finding, Rule};

/// In `Check::link_use`.
const FIXED: u32 = 1;
const POOLED: u32 = 2;

impl Check<'_> {
    /// What a link of the first elements asks for, plugged into its network.
    pub(super) const fn asked(&mut self, row: u32, part: u32, fields: &Link, link: usize) {
        let network = self.link_network[link];
        let addressing = &self.all.rows[network as usize].node.addressing;
        if let Some(given) = &fields.address {
            let first = given.first.to_bits();
            let rule = self.wrong(row as usize, first, given.last.to_bits(), addressing);
            self.link_first[link] = first;
            self.link_use[link] = FIXED;
            if let Some(rule) = rule {
                self.link_use[link] = 0;
                self.blame(rule, row as usize, part, network);
            }
        } else if addressing.pool.is_some() {
            self.link_use[link] = POOLED;
        } else if addressing.v4.is_some() {
            let key = self.all.rows[network as usize].node.key.id;
            let finding = Finding::new(Rule::NoPool, row, part);
            self.findings.add(finding.with(network, 0).subject(key));
        }
    }

    /// What is wrong with the fixed addresses of the machines at `row`.
    const fn wrong(&self, row: usize, first: u32, last: u32, of: &Addressing) -> Option<Rule> {
        if first > last {
            return Some(Rule::AddressReversed);
        }
        if last as u64 - first as u64 + 1 != self.all.rows[row].elements as u64 {
            return Some(Rule::AddressCount);
        }
        let Some(subnet) = of.v4 else { return Some(Rule::AddressWithoutSubnet) };
        let (lowest, highest) = ends(subnet);
        let reserved = (subnet.prefix < 31) as u32;
        if first < lowest || last > highest {
            Some(Rule::AddressOutside)
        } else if first - lowest < reserved || highest - last < reserved {
            Some(Rule::AddressReserved)
        } else if let Some(dhcp) = &of.dhcp
            && first <= dhcp.last.to_bits()
            && dhcp.first.to_bits() <= last
        {
            Some(Rule::AddressOfDhcp)
        } else if let Some(gateway) = of.gateway
            && first < last
            && first <= gateway.to_bits()
            && gateway.to_bits() <= last
        {
            // A machine alone at the gateway's address is the gateway.
            Some(Rule::AddressOfGateway)
        } else {
            None
        }
    }

    const fn blame(&mut self, rule: Rule, row: usize, part: u32, network: u32) {
        let machines = self.all.rows[row].elements;
        let finding = Finding::new(rule, row as u32, part).with(network, machines);
        // The same model in another place is the same mistake.
        let model = self.all.rows[row].node.key.id ^ (part as u64 + 1) ^ ((machines as u64) << 32);
        self.findings.add(finding.subject(model));
    }

    /// Gives a machine its fixed addresses, and counts what each pool must give, and what of it is fixed.
    pub(super) const fn give(&mut self, row: usize, at: &Row) {
        let origin = at.origin as usize;
        let end = self.link_end[origin] as usize;
        let mut link = self.link_start[origin] as usize;
        while link < end {
            let usage = self.link_use[link];
            let mac = self.fixed_mac(origin, link);
            if usage != 0 || mac.is_some() {
                let mut network = self.link_network[link];
                if origin != row {
                    let scope = self.link_scope[link];
                    network = self.all.like(row as u32, scope) + (network - scope);
                }
                if let Some(mac) = mac {
                    self.mac(row as u32, link as u32, network, mac);
                }
                if usage == POOLED {
                    self.pool_wanted[network as usize] += 1;
                } else if usage == FIXED {
                    let nth = if at.position == NONE { 0 } else { at.position };
                    self.fix(row as u32, link as u32, network, self.link_first[link] + nth);
                }
            }
            link += 1;
        }
    }

    /// Enters an address, unless another has it.
    const fn fix(&mut self, row: u32, link: u32, network: u32, address: u32) {
        let mask = self.address_mask;
        let mut at = slot(address as u64, network, mask + 1);
        while self.address_slots[at] != 0 {
            let known = self.address_slots[at] as usize - 1;
            if self.address[known] == address && self.address_network[known] == network {
                return self.taken(row, link, network, known);
            }
            at = (at + 1) & mask;
        }
        let entry = self.given as usize;
        self.address[entry] = address;
        self.address_network[entry] = network;
        self.address_row[entry] = row;
        self.address_link[entry] = link;
        self.given += 1;
        self.address_slots[at] = self.given;
        if let Some(pool) = &self.all.rows[network as usize].node.addressing.pool
            && pool.first.to_bits() <= address
            && address <= pool.last.to_bits()
        {
            self.pool_taken[network as usize] += 1;
        }
    }

    const fn taken(&mut self, row: u32, link: u32, network: u32, known: usize) {
        let other = self.link_part[self.address_link[known] as usize];
        let finding = Finding::new(Rule::DuplicateAddress, row, self.link_part[link as usize])
            .item(other)
            .with(self.address_row[known], network)
            .subject(link as u64 + 1);
        self.findings.add(finding);
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
    let alone = first == given.last.to_bits();
    text.str(if alone { " has the address " } else { " has the addresses " });
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
        (Rule::AddressOfDhcp, _) => {
            text.str(if alone { ", which the DHCP server of " } else { ", of which the DHCP server of " });
            model(text, all, finding.a);
            text.str(if alone { " gives out: " } else { " gives out some: " });
            if let Some(dhcp) = all.rows[finding.a as usize].node.addressing.dhcp {
                range(text, dhcp);
            }
        }
        (Rule::AddressOfGateway, _) => {
            text.str(", which include the gateway of ");
            model(text, all, finding.a);
            if let Some(gateway) = all.rows[finding.a as usize].node.addressing.gateway {
                text.str(", ");
                text.address(gateway.to_bits());
            }
        }
        (Rule::AddressReserved, Some(subnet)) => {
            text.str(if alone { ", " } else { ", which include " });
            text.str(if first == ends(subnet).0 {
                "the network address of "
            } else {
                "the broadcast address of "
            });
            model(text, all, finding.a);
            text.str(", ");
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
        (Rule::AddressOfGateway, Some(subnet)) => {
            text.str("write others of ");
            text.address(usable(subnet).0);
            text.str("-");
            text.address(usable(subnet).1);
        }
        (Rule::AddressOfDhcp, Some(subnet)) => {
            text.str("write one of ");
            text.address(usable(subnet).0);
            text.str("-");
            text.address(usable(subnet).1);
            text.str(" outside of that range, or leave the address out");
        }
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
