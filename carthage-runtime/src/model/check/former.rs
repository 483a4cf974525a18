//! What machines were called before is no longer anybody's name, and becomes one machine's.

use super::super::node::Kind;
use super::super::place::{Former, NONE, Placements, slots_for};
use super::super::text::Text;
use super::words::{LINE, element, placed_at, quoted};
use super::{Check, Finding, Rule};

impl Check<'_> {
    /// After the names of all machines are known.
    pub(super) const fn former(&mut self) {
        if self.size.former == 0 {
            return;
        }
        let mut row = 0;
        while row < self.size.rows as u32 {
            let names = self.all.former_names(row);
            match self.all.rows[row as usize].node.kind {
                Kind::Network => {}
                Kind::Machine => {
                    let mut i = 0;
                    while i < names.len() {
                        self.former_name(row, i as u32, names[i]);
                        i += 1;
                    }
                }
                _ if names.is_empty() => {}
                _ => {
                    let origin = self.all.rows[row as usize].origin as u64;
                    let finding = Finding::new(Rule::MovedGroup, row, NONE).item(0).subject(1 + origin);
                    self.findings.add(finding);
                }
            }
            row += 1;
        }
    }

    const fn former_name(&mut self, row: u32, index: u32, written: &'static str) {
        let at = &self.all.rows[row as usize];
        let finding = Finding::new(Rule::MovedInFleet, row, NONE).item(index).subject(1 + at.origin as u64);
        if at.varies {
            self.findings.add(finding);
            return;
        }
        let name = Former::of(self.all, row, written);
        let hash = name.hash(self.all);
        let mut slot = hash as usize & self.name_mask;
        while self.name_slots[slot] != 0 {
            let other = self.name_slots[slot] - 1;
            let found = &self.all.rows[other as usize];
            if found.hash == hash && !found.varies && name.is_name_of(self.all, other) {
                let rule = if other == row { Rule::MovedFromItself } else { Rule::MovedFromPlaced };
                self.findings.add(finding.of(rule).with(other, 0));
                break;
            }
            slot = (slot + 1) & self.name_mask;
        }
        let mask = slots_for(self.size.former) - 1;
        let mut slot = hash as usize & mask;
        while self.former_slots[slot] != 0 {
            let other = self.former_slots[slot] - 1;
            if other != row && self.was_called(other, name) {
                self.findings.add(finding.of(Rule::MovedTwice).with(other, 0));
                return;
            }
            slot = (slot + 1) & mask;
        }
        self.former_slots[slot] = row + 1;
    }

    const fn was_called(&self, row: u32, name: Former) -> bool {
        let names = self.all.former_names(row);
        let mut i = 0;
        while i < names.len() {
            if Former::of(self.all, row, names[i]).is(self.all, name) {
                return true;
            }
            i += 1;
        }
        false
    }
}

pub(super) const fn tell(finding: &Finding, all: &'static Placements, text: &mut Text<'_>) {
    let written = all.former_names(finding.row)[finding.item as usize];
    if matches!(finding.rule, Rule::MovedTwice) {
        text.str("two machines were called ");
        quoted(text, written);
        text.str(" before: ");
        element(text, all, finding.a);
        placed_at(text, all, finding.a);
        text.str(" and ");
        element(text, all, finding.row);
        placed_at(text, all, finding.row);
        text.str(LINE);
        text.str("what exists under an old name is kept for one: leave `#[moved_from]` out at the other");
        return;
    }
    element(text, all, finding.row);
    placed_at(text, all, finding.row);
    match finding.rule {
        Rule::MovedInFleet => {
            text.str(" is in a fleet, and was called ");
            quoted(text, written);
            text.str(" before");
            text.str(LINE);
            text.str("what is in a fleet is called by its list, at run time: write `#[moved_from]` at what is in none");
        }
        Rule::MovedGroup => {
            text.str(" is ");
            text.str(all.rows[finding.row as usize].node.kind.about());
            text.str(", of which nothing is on record by a name of its own");
            text.str(LINE);
            text.str("write `#[moved_from]` on the machines and networks in it");
        }
        Rule::MovedFromItself => {
            text.str(" was called ");
            quoted(text, written);
            text.str(" before, and is called so now");
            text.str(LINE);
            text.str("write the old name in `#[moved_from(…)]`, or leave it out");
        }
        _ => {
            text.str(" was called ");
            quoted(text, written);
            text.str(" before, but that is still the name of ");
            element(text, all, finding.a);
            placed_at(text, all, finding.a);
            text.str(LINE);
            text.str("call that one otherwise, or leave `#[moved_from]` out: what exists under the name is that one's");
        }
    }
}
