//! Every link is plugged into one network, by an interface that no other has.

use super::super::node::{Kind, Link, Role};
use super::super::place::{Placements, slot};
use super::super::reference::Meaning;
use super::super::text::{Text, same};
use super::words::{
    LINE, also, candidates, field_of, model, model_at, part_at, placed_at, quoted, searched, somewhere,
};
use super::{Check, Finding, Rule, near};

/// Bytes of an interface's name; the kernel's limit.
const INTERFACE: usize = 15;

impl Check<'_> {
    /// A link in the field `part`; `first` says that its machine's model was not seen before.
    pub(super) const fn link(&mut self, row: usize, part: usize, link: &Link, first: bool) {
        let index = self.links;
        self.links += 1;
        self.link_part[index as usize] = part as u32;
        if first {
            self.interface(row, part, link, index);
        }
        self.plug(row as u32, part as u32, link, index as usize);
        if first {
            self.cable(row as u32, part as u32, link);
        }
    }

    /// Looks a link's network up.
    const fn plug(&mut self, row: u32, part: u32, link: &Link, index: usize) {
        let key = link.network.id;
        let rule = match self.all.meaning(row, key, None) {
            Meaning::Missing => {
                // Forgetting a network is one mistake, however many links there are.
                self.findings.add(Finding::new(Rule::MissingNetwork, row, part).subject(key));
                return;
            }
            Meaning::Several { scope } => {
                Finding::new(Rule::AmbiguousNetwork, row, part).with(scope, 0).subject(key ^ scope as u64)
            }
            Meaning::One { scope, target } => {
                let mut at = target;
                while at != scope && self.all.rows[at as usize].elements == 1 {
                    at = self.all.rows[at as usize].parent;
                }
                if at == scope && matches!(self.all.rows[target as usize].node.kind, Kind::Network) {
                    self.link_network[index] = target;
                    self.link_scope[index] = scope;
                    return self.asked(row, part, link, index);
                }
                Finding::new(Rule::NotOneNetwork, row, part).with(target, at).subject(key ^ target as u64)
            }
        };
        self.findings.add(rule);
    }

    /// Compares a link's interface with those before it in the same machine.
    const fn interface(&mut self, row: usize, part: usize, link: &Link, index: u32) {
        let bytes = link.interface.as_bytes();
        let count = bytes.len();
        let mut bad = count == 0 || count > INTERFACE;
        let mut hash = 0;
        let mut i = 0;
        while i < count && !bad {
            let byte = bytes[i];
            hash = hash << 8 | byte as u64;
            bad = byte <= b' ' || byte == b'/' || byte == b':' || byte >= 0x7f;
            i += 1;
        }
        if bad || same(link.interface, ".") || same(link.interface, "..") {
            self.findings.add(Finding::new(Rule::BadInterface, row as u32, part as u32));
            return;
        }
        let slots = self.field_slots.len();
        let mut at = slot(hash, 0, slots);
        // Whatever the machines before have left in the table counts as empty.
        while self.field_slots[at] > self.link_start[row] {
            let other = self.link_part[self.field_slots[at] as usize - 1];
            if let Role::Link(before) = &self.all.rows[row].node.parts[other as usize].role
                && same(before.interface, link.interface)
            {
                self.findings
                    .add(Finding::new(Rule::DuplicateInterface, row as u32, part as u32).with(other, 0));
                return;
            }
            at = (at + 1) & (slots - 1);
        }
        self.field_slots[at] = index + 1;
    }
}

pub(super) const fn tell(finding: &Finding, all: &'static Placements, text: &mut Text<'_>) {
    let (row, part) = (finding.row, part_at(all, finding.row, finding.part));
    let Role::Link(link) = &part.role else { return };
    let network = link.network.name();
    match finding.rule {
        Rule::BadInterface => {
            model(text, all, row);
            text.str(" calls an interface ");
            quoted(text, link.interface);
            text.str(" (");
            text.at(part.at);
            text.str(")");
            text.str(LINE);
            text.str(
                "write `#[link(name = \"…\")]` with 1 to 15 printable characters other than `/` and `:`",
            );
        }
        Rule::DuplicateInterface => {
            let other = part_at(all, row, finding.a);
            model(text, all, row);
            text.str(" has two interfaces called ");
            quoted(text, link.interface);
            text.str(": ");
            quoted(text, other.field);
            text.str(" (");
            text.at(other.at);
            text.str(") and ");
            quoted(text, part.field);
            text.str(" (");
            text.at(part.at);
            text.str(")");
            text.str(LINE);
            text.str("write `#[link(name = \"…\")]` at one of them");
        }
        Rule::MissingNetwork if link.network.is_abstract => {
            text.str("no scope says which of its networks is ");
            quoted(text, network);
            text.str(", into which ");
            field_of(text, all, row, finding.part);
            text.str(" is plugged");
            link_at(text, all, finding);
            also(text, all, finding, "and a link of");
            searched(text, all, row);
            others(text, all);
            near::tell_placed(all, link.network, true, text);
            text.str(LINE);
            text.str("write `#[member(is = ");
            text.str(network);
            text.str(")]` on the field of the one that is meant, or add one so");
            somewhere(text, all, row);
        }
        Rule::MissingNetwork => {
            text.str("no scope holds the network ");
            quoted(text, network);
            text.str(", into which ");
            field_of(text, all, row, finding.part);
            text.str(" is plugged");
            link_at(text, all, finding);
            also(text, all, finding, "and a link of");
            searched(text, all, row);
            others(text, all);
            near::tell_placed(all, link.network, true, text);
            text.str(LINE);
            text.str("write `");
            text.snake(network);
            text.str(": ");
            text.str(network);
            text.str("`");
            somewhere(text, all, row);
        }
        Rule::AmbiguousNetwork => {
            text.str("the network ");
            quoted(text, network);
            text.str(", into which ");
            field_of(text, all, row, finding.part);
            text.str(" is plugged, could be one of several");
            link_at(text, all, finding);
            also(text, all, finding, "and a link of");
            candidates(text, all, finding.a, link.network.id(), None);
            text.str(LINE);
            text.str("keep one where the machine is, or make them networks of two types");
        }
        Rule::NotOneNetwork => {
            field_of(text, all, row, finding.part);
            text.str(" is plugged into ");
            quoted(text, network);
            text.str(", which is ");
            let target = &all.rows[finding.a as usize];
            if matches!(target.node.kind, Kind::Network) {
                text.str("not one network: ");
                model(text, all, finding.b);
                text.str(" stands ");
                text.number(all.rows[finding.b as usize].elements as u64);
                text.str(" times in its array");
            } else {
                text.str("not a network");
            }
            placed_at(
                text,
                all,
                if matches!(target.node.kind, Kind::Network) { finding.b } else { finding.a },
            );
            link_at(text, all, finding);
            also(text, all, finding, "and a link of");
            text.str(LINE);
            text.str("plug it into a network that stands once in a scope around the machine");
        }
        _ => {
            field_of(text, all, row, finding.part);
            text.str(" names no address, and its network ");
            model(text, all, finding.a);
            model_at(text, all, finding.a);
            text.str(" has no pool");
            link_at(text, all, finding);
            also(text, all, finding, "and a link of");
            text.str(LINE);
            text.str("write `#[link(address = \"…\")]`, or `pool = \"…-…\"` in the `#[network(…)]` of ");
            model(text, all, finding.a);
        }
    }
}

/// The line of the link.
pub(super) const fn link_at(text: &mut Text<'_>, all: &'static Placements, finding: &Finding) {
    text.str(LINE);
    text.str("link: ");
    text.at(part_at(all, finding.row, finding.part).at);
}

/// The networks that there are.
const fn others(text: &mut Text<'_>, all: &'static Placements) {
    let mut shown = 0;
    let mut row = 0;
    while row < all.rows.len() as u32 {
        let at = &all.rows[row as usize];
        if at.first && matches!(at.node.kind, Kind::Network) {
            if shown == 0 {
                text.str(LINE);
                text.str("networks in the layout: ");
            } else if shown == 4 {
                text.str(" …");
                return;
            } else {
                text.str(", ");
            }
            model(text, all, row);
            placed_at(text, all, row);
            shown += 1;
        }
        row += 1;
    }
}
