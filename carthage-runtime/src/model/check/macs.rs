//! A hardware address is one interface's, within a network.

use super::super::node::Role;
use super::super::place::{NONE, Placements, slot};
use super::super::text::Text;
use super::words::{LINE, element, part_at, placed_at, quoted};
use super::{Check, Finding, Rule};

impl Check<'_> {
    /// The fixed hardware address of a link, as a number, if it is plugged in.
    pub(super) const fn fixed_mac(&self, row: usize, link: usize) -> Option<u64> {
        if self.size.macs == 0 || self.link_network[link] == 0 {
            return None;
        }
        let Role::Link(fields) = &self.all.rows[row].node.parts[self.link_part[link] as usize].role else {
            return None;
        };
        match fields.mac {
            Some([a, b, c, d, e, f]) => Some(u64::from_be_bytes([0, 0, a, b, c, d, e, f])),
            None => None,
        }
    }

    /// Enters a hardware address, unless another has it.
    pub(super) const fn mac(&mut self, row: u32, link: u32, network: u32, mac: u64) {
        let mask = self.mac_mask;
        let mut at = slot(mac, network, mask + 1);
        while self.mac_slots[at] != 0 {
            let known = self.mac_slots[at] as usize - 1;
            let (other, its) = (self.mac_row[known], self.mac_link[known]);
            let origin = self.all.rows[other as usize].origin as usize;
            if self.mac_network[known] == network
                && let Some(before) = self.fixed_mac(origin, its as usize)
                && before == mac
            {
                let part = self.link_part[link as usize];
                let finding = Finding::new(Rule::DuplicateMac, row, part).item(self.link_part[its as usize]);
                self.findings.add(finding.with(other, network).subject(link as u64 + 1));
                return;
            }
            at = (at + 1) & mask;
        }
        let entry = self.macs as usize;
        self.mac_row[entry] = row;
        self.mac_link[entry] = link;
        self.mac_network[entry] = network;
        self.macs += 1;
        self.mac_slots[at] = self.macs;
    }
}

pub(super) const fn tell(finding: &Finding, all: &'static Placements, text: &mut Text<'_>) {
    let (row, other, network) = (finding.row, finding.a, finding.b);
    let Role::Link(link) = &part_at(all, row, finding.part).role else { return };
    let Some(mac) = link.mac else { return };
    text.str("the hardware address ");
    let mut i = 0;
    while i < mac.len() {
        if i > 0 {
            text.str(":");
        }
        text.hex(mac[i]);
        i += 1;
    }
    text.str(" on ");
    element(text, all, network);
    placed_at(text, all, network);
    text.str(" is given twice");
    holder(text, all, other, finding.item);
    holder(text, all, row, finding.part);
    text.str(LINE);
    if all.rows[other as usize].origin == all.rows[row as usize].origin
        && all.rows[row as usize].position != NONE
    {
        text.str(
            "the machines of an array cannot have one address: leave `mac` out, and each is given its own",
        );
    } else {
        text.str("write another at one of them, or leave `mac` out to have one given");
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
