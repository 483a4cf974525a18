//! The networks that one machine is plugged into have addresses apart: otherwise it cannot tell where to send.

use super::super::addressing::Cidr4;
use super::super::node::Role;
use super::super::place::Placements;
use super::super::text::Text;
use super::words::{LINE, cidr, ends, fields, model, model_at, part_at, quoted};
use super::{Check, Finding, Rule};

impl Check<'_> {
    /// Compares the networks of one machine's links: in the order of their addresses, neighbours are enough.
    pub(super) const fn overlaps(&mut self, row: usize) {
        let (start, end) = (self.link_start[row], self.link_end[row]);
        if end - start < 2 {
            return;
        }
        let mut count = 0;
        let mut link = start;
        while link < end {
            if self.subnet(link).is_some() {
                self.next[count] = link;
                count += 1;
            }
            link += 1;
        }
        self.sort_links(count);
        let mut i = 1;
        while i < count {
            let (a, b) = (self.next[i - 1], self.next[i]);
            if let (Some(before), Some(subnet)) = (self.subnet(a), self.subnet(b))
                && self.link_network[a as usize] != self.link_network[b as usize]
                && ends(before).1 >= ends(subnet).0
            {
                // Told at the later of the two fields.
                let (first, last) = if a < b { (a, b) } else { (b, a) };
                let part = self.link_part[last as usize];
                let finding = Finding::new(Rule::Overlap, row as u32, part)
                    .item(self.link_part[first as usize])
                    .with(self.link_network[first as usize], self.link_network[last as usize]);
                let model = self.all.rows[row].node.key.id ^ (part as u64 + 1);
                self.findings.add(finding.subject(model));
            }
            i += 1;
        }
    }

    /// The subnet of the network that a link is plugged into.
    const fn subnet(&self, link: u32) -> Option<Cidr4> {
        match self.link_network[link as usize] {
            0 => None,
            network => self.all.rows[network as usize].node.addressing.v4,
        }
    }

    /// What a link is sorted by: the larger of two networks that begin alike comes first.
    const fn weight(&self, link: u32) -> u64 {
        match self.subnet(link) {
            Some(subnet) => (ends(subnet).0 as u64) << 8 | subnet.prefix as u64,
            None => 0,
        }
    }

    /// Sorts the first `count` links in `next`, with ever smaller steps.
    const fn sort_links(&mut self, count: usize) {
        let mut step = count / 2;
        while step > 0 {
            let mut i = step;
            while i < count {
                let link = self.next[i];
                let mut to = i;
                while to >= step && self.weight(self.next[to - step]) > self.weight(link) {
                    self.next[to] = self.next[to - step];
                    to -= step;
                }
                self.next[to] = link;
                i += 1;
            }
            step /= 2;
        }
    }
}

pub(super) const fn tell(finding: &Finding, all: &'static Placements, text: &mut Text<'_>) {
    text.str("two networks of ");
    fields(text, all, finding.row);
    text.str(" have addresses in common");
    end(text, all, finding, finding.item, finding.a);
    end(text, all, finding, finding.part, finding.b);
    text.str(LINE);
    text.str("write subnets that are apart in their `#[network(…)]`s");
}

const fn end(text: &mut Text<'_>, all: &'static Placements, finding: &Finding, part: u32, network: u32) {
    let part = part_at(all, finding.row, part);
    let Role::Link(_) = &part.role else { return };
    text.str(LINE);
    quoted(text, part.field);
    text.str(" (");
    text.at(part.at);
    text.str(") is plugged into ");
    model(text, all, network);
    if let Some(subnet) = all.rows[network as usize].node.addressing.v4 {
        text.str(", ");
        cidr(text, subnet);
    }
    model_at(text, all, network);
}
