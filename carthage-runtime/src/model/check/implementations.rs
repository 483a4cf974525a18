//! Every machine is made by something.

use super::super::node::Kind;
use super::super::place::{NONE, Placements};
use super::super::text::Text;
use super::words::{LINE, also, fields};
use super::{Check, Finding, Rule};

impl Check<'_> {
    pub(super) const fn implementations(&mut self) {
        let mut row = 0;
        while row < self.size.rows {
            let at = &self.all.rows[row];
            let around = at.parent != NONE && self.color[at.parent as usize] == 1;
            if around || at.node.implementation.is_some() {
                self.color[row] = 1;
            } else if matches!(at.node.kind, Kind::Machine) && self.original(row) {
                self.findings.add(Finding::new(Rule::NoImplementation, row as u32, NONE).subject(1));
            }
            row += 1;
        }
    }
}

pub(super) const fn tell(finding: &Finding, all: &'static Placements, text: &mut Text<'_>) {
    text.str("nothing says what ");
    fields(text, all, finding.row);
    text.str(" is made by");
    also(text, all, finding, "nor");
    text.str(LINE);
    text.str("write `implementation = Sandbox` in the `#[layout(…)]` of `");
    text.str(all.rows[0].node.key.name());
    text.str("`, or in an enclave's or machine's own attribute");
}
