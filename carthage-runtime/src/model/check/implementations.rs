//! Every machine is made by something.

use super::super::place::{NONE, Placements, Row};
use super::super::text::Text;
use super::words::{LINE, also, fields};
use super::{Check, Finding, Rule};

impl Check<'_> {
    pub(super) const fn implementation(&mut self, at: &Row) {
        let profile = self.all.profile;
        let mut around = at;
        while around.node.implementation.is_none() && profile.maker(around.node.key).is_none() {
            if around.parent == NONE {
                self.findings.add(Finding::new(Rule::NoImplementation, at.origin, NONE).subject(1));
                return;
            }
            around = &self.all.rows[around.parent as usize];
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
