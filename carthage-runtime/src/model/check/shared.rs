//! A machine shares the links of one other, which is made by the same implementation and has links of its own.

use super::super::member::Count;
use super::super::node::{Kind, Node, Role};
use super::super::place::{NONE, Placements};
use super::super::reference::Meaning;
use super::super::text::{Text, same};
use super::dependencies::SHARED;
use super::words::{LINE, also, fields, part_at, placed_at, placement, quoted};
use super::{Check, Finding, Rule};

impl Check<'_> {
    /// `shares_links` of what is placed at `row`.
    pub(super) const fn shared(&mut self, row: u32, node: &'static Node) {
        let Some(shared) = &node.shares_links else { return };
        let key = shared.key.id();
        let finding = Finding::new(Rule::SharesOfOther, row, NONE).item(SHARED).subject(key);
        let mut i = 0;
        while i < node.parts.len() {
            if let Role::Link(_) = node.parts[i].role {
                self.findings.add(Finding::new(Rule::SharesAndLinks, row, i as u32).subject(node.key.id()));
                break;
            }
            i += 1;
        }
        let all = self.all;
        let meaning = all.meaning(row, key, None);
        if let Meaning::One { scope, target } = meaning {
            let other = all.rows[target as usize].node;
            let (many, absent) = uncertain(all, scope, target);
            if !matches!(other.kind, Kind::Machine) {
                self.findings.add(finding.with(target, 0));
                return;
            }
            if many != NONE {
                self.findings.add(finding.of(Rule::SharesOfMany).with(many, 0));
            } else if absent != NONE {
                self.findings.add(finding.of(Rule::SharesOfAbsent).with(absent, 0));
            } else if other.shares_links.is_some() && !comes_back(all, row, target) {
                self.findings.add(finding.of(Rule::SharesOfSharing).with(target, 0));
            } else if let (Some(own), Some(others)) =
                (placement(all, row).implementation(), placement(all, target).implementation())
                && !same(own.name, others.name)
            {
                self.findings.add(finding.of(Rule::SharesOfOtherMaker).with(target, 0));
            }
            if !node.surroundings.ports.is_empty() {
                self.findings.add(finding.of(Rule::SharesAndPorts).with(target, 0));
            }
        }
        self.reference(row, NONE, SHARED, key, meaning);
    }
}

/// What of the way from `scope` to `target` stands in an array or a fleet, and what may be absent.
const fn uncertain(all: &Placements, scope: u32, target: u32) -> (u32, u32) {
    let (mut many, mut absent, mut at) = (NONE, NONE, target);
    while at != scope {
        if let Some(part) = all.part(at)
            && let Role::Member(member) = &part.role
        {
            match member.count {
                Count::Array(_) | Count::Fleet => many = at,
                Count::One if member.when => absent = at,
                Count::One => {}
            }
        }
        at = all.rows[at as usize].parent;
    }
    (many, absent)
}

/// Whether sharing leads from `target` back to `row`: that is told as a circle.
const fn comes_back(all: &Placements, row: u32, target: u32) -> bool {
    let (mut at, mut left) = (target, all.rows.len());
    while at != row && left > 0 {
        let Some(shared) = &all.rows[at as usize].node.shares_links else { return false };
        match all.meaning(all.rows[at as usize].origin, shared.key.id(), None) {
            Meaning::One { target, .. } => at = target,
            _ => return false,
        }
        left -= 1;
    }
    at == row
}

/// `` `shares_links = Router`: src/main.rs:12 ``
pub(super) const fn said_at(text: &mut Text<'_>, all: &'static Placements, row: u32) {
    let Some(shared) = &all.rows[row as usize].node.shares_links else { return };
    text.str("`shares_links = ");
    text.str(shared.key.name());
    text.str("`: ");
    text.at(shared.at);
}

/// As a step of a circle.
pub(super) const fn says(text: &mut Text<'_>, all: &'static Placements, row: u32) {
    let Some(shared) = &all.rows[row as usize].node.shares_links else { return };
    text.str(" shares the links of ");
    quoted(text, shared.key.name());
    text.str(": ");
    text.at(shared.at);
}

/// `` `Sandbox` makes `sidecar` (src/main.rs:12) ``
const fn maker(text: &mut Text<'_>, all: &'static Placements, row: u32) {
    if let Some(implementation) = placement(all, row).implementation() {
        quoted(text, implementation.name);
    }
    text.str(" makes ");
    fields(text, all, row);
    placed_at(text, all, row);
}

pub(super) const fn tell(finding: &Finding, all: &'static Placements, text: &mut Text<'_>) {
    let (row, other) = (finding.row, finding.a);
    let Some(shared) = &all.rows[row as usize].node.shares_links else { return };
    fields(text, all, row);
    if matches!(finding.rule, Rule::SharesAndLinks) {
        let part = part_at(all, row, finding.part);
        text.str(" shares the links of ");
        quoted(text, shared.key.name());
        text.str(", and has a link of its own: ");
        quoted(text, part.field);
        text.str(" (");
        text.at(part.at);
        text.str(")");
        text.str(LINE);
        said_at(text, all, row);
        also(text, all, finding, "and so does");
        text.str(LINE);
        text.str("leave one of the two out");
        return;
    }
    text.str(" shares the links of ");
    quoted(text, shared.key.name());
    match finding.rule {
        Rule::SharesOfMany => {
            text.str(", but there are several: ");
            fields(text, all, other);
            placed_at(text, all, other);
        }
        Rule::SharesOfAbsent => {
            text.str(", which may be absent: ");
            fields(text, all, other);
            placed_at(text, all, other);
        }
        Rule::SharesOfOther => {
            text.str(", which is ");
            text.str(all.rows[other as usize].node.kind.about());
            placed_at(text, all, other);
        }
        Rule::SharesOfSharing => {
            text.str(", which has none of its own: it shares those of ");
            if let Some(next) = &all.rows[other as usize].node.shares_links {
                quoted(text, next.key.name());
            }
        }
        Rule::SharesAndPorts => text.str(", and exposes ports of its own"),
        _ => text.str(", which another implementation makes"),
    }
    text.str(LINE);
    said_at(text, all, row);
    also(text, all, finding, "and so does");
    text.str(LINE);
    match finding.rule {
        Rule::SharesOfMany => {
            text.str("it has the links of one machine; put it beside each, in an enclave with both, or name one that is no array");
        }
        Rule::SharesOfAbsent => text.str("name a machine that is there whenever this one is"),
        Rule::SharesOfOther => text.str("name a machine's model"),
        Rule::SharesOfSharing => {
            said_at(text, all, other);
            text.str(LINE);
            text.str("write `shares_links = ");
            if let Some(next) = &all.rows[other as usize].node.shares_links {
                text.str(next.key.name());
            }
            text.str("`: any number of machines may share the links of one");
        }
        Rule::SharesAndPorts => {
            text.str("its ports are those of that machine: write `#[expose(…)]` on ");
            quoted(text, all.rows[other as usize].node.key.name());
        }
        _ => {
            maker(text, all, row);
            text.str(", ");
            maker(text, all, other);
            text.str(LINE);
            text.str("two machines are in one network namespace only where one implementation makes both; say the same for both");
        }
    }
}
