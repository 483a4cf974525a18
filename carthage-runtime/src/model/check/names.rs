//! Full names are unique, and short enough for a host.

use super::super::member::Count;
use super::super::node::Role;
use super::super::place::{NONE, Placements, Row};
use super::super::text::Text;
use super::words::{LINE, element, fields, placed_at, placement, quoted};
use super::{Check, Finding, Rule};

/// Of a label, and so of a host name (RFC 1035, 2.3.4).
const LABEL: u32 = 63;
/// Of a full name.
const FULL: u32 = 253;

impl Check<'_> {
    pub(super) const fn name(&mut self, row: usize, at: &Row) {
        if at.name_len > LABEL || at.full_len > FULL {
            let finding = Finding::new(Rule::LongName, row as u32, NONE);
            self.findings.add(finding.subject(1 + at.origin as u64));
        }
        let mask = self.name_mask;
        let mut slot = at.hash as usize & mask;
        loop {
            let other = self.name_slots[slot];
            if other == 0 {
                self.name_slots[slot] = row as u32 + 1;
                return;
            }
            let before = &self.all.rows[other as usize - 1];
            if before.hash == at.hash
                && self.same_name(at, before)
                && listed_by(self.all, row as u32) == listed_by(self.all, other - 1)
            {
                let finding = Finding::new(Rule::DuplicateName, row as u32, NONE).with(other - 1, 0);
                self.findings.add(finding.subject(1 + at.origin as u64));
                return;
            }
            slot = (slot + 1) & mask;
        }
    }

    const fn same_name(&self, a: &Row, b: &Row) -> bool {
        if a.full_len != b.full_len {
            return false;
        }
        // Where there is no text, the check of the whole will tell.
        if self.all.text.is_empty() {
            return true;
        }
        let (from_a, from_b) = ((a.text + 2 * a.path_len) as usize, (b.text + 2 * b.path_len) as usize);
        let mut i = 0;
        while i < a.full_len as usize {
            if self.all.text[from_a + i] != self.all.text[from_b + i] {
                return false;
            }
            i += 1;
        }
        true
    }
}

/// What stands for the elements of the innermost fleet around `row`, as long as its list is not read: what they are called is
/// known to nobody yet, but that it is told from what is elsewhere.
const fn listed_by(all: &Placements, row: u32) -> u32 {
    let mut at = row;
    while all.rows[at as usize].varies {
        if let Some(part) = all.part(at)
            && let Role::Member(member) = &part.role
            && matches!(member.count, Count::Fleet)
            && !all.rows[at as usize].named
        {
            return at;
        }
        at = all.rows[at as usize].parent;
    }
    NONE
}

pub(super) const fn tell(finding: &Finding, all: &'static Placements, text: &mut Text<'_>) {
    let name = placement(all, finding.row).fqdn();
    if matches!(finding.rule, Rule::LongName) {
        text.str("the name of ");
        fields(text, all, finding.row);
        placed_at(text, all, finding.row);
        text.str(" is too long: ");
        quoted(text, name);
        text.str(LINE);
        text.str("a host's name has at most 63 characters, and at most 253 with its domains: write `#[member(name = \"…\")]`");
        return;
    }
    text.str("two machines are called ");
    quoted(text, name);
    text.str(": ");
    element(text, all, finding.a);
    placed_at(text, all, finding.a);
    text.str(" and ");
    element(text, all, finding.row);
    placed_at(text, all, finding.row);
    text.str(LINE);
    if all.rows[finding.a as usize].origin == all.rows[finding.row as usize].origin {
        let enclave = array_around(all, finding.row);
        text.str("the array ");
        fields(text, all, enclave);
        text.str(" repeats it: write `domain = \"…\"` in the attribute of `");
        text.str(all.rows[enclave as usize].node.key.name());
        text.str("`; each element's is numbered");
    } else {
        text.str("write `#[member(name = \"…\")]` at one of them, or give an enclave around it a `domain`");
    }
}

/// The innermost array around `row` whose enclaves have no domain to tell them apart.
const fn array_around(all: &'static Placements, row: u32) -> u32 {
    let mut at = all.rows[row as usize].parent;
    while at != 0 && (all.rows[at as usize].position == NONE || all.rows[at as usize].node.domain.is_some()) {
        at = all.rows[at as usize].parent;
    }
    at
}
