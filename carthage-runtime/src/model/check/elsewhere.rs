//! Values that a scope provides out of one of its members: the fields lead to a scope, and that has the value.

use super::super::node::Role;
use super::super::place::{NONE, Placements};
use super::super::text::{Text, same};
use super::super::value::Provide;
use super::words::{LINE, fields, model, model_at, part_at, quoted, wanted};
use super::{Check, Finding, Rule, near};

impl Check<'_> {
    /// A value that is provided `from` somewhere inside.
    pub(super) const fn elsewhere(&mut self, row: u32, part: u32, provide: &'static Provide) {
        self.has_detours = true;
        let at = match inside(self.all, row, provide.from) {
            Ok(at) => at,
            Err((at, i)) => {
                self.findings.add(Finding::new(Rule::FromNowhere, row, part).with(at, i));
                return;
            }
        };
        // What is found on the way back up to here would be this value, or could be asked for without a detour.
        let entry = self.all.provider(at, provide.key.id);
        if entry == NONE || self.all.entries[entry as usize].container <= row {
            self.findings.add(Finding::new(Rule::FromWithout, row, part).with(at, 0));
        }
    }
}

/// Where these fields lead to; or from which row the one at which position leads nowhere, or to several.
pub(super) const fn inside(
    all: &'static Placements,
    row: u32,
    from: &'static [&'static str],
) -> Result<u32, (u32, u32)> {
    let mut at = row;
    let mut i = 0;
    while i < from.len() {
        let next = child(all, at, from[i]);
        if next == NONE || all.rows[next as usize].position != NONE {
            return Err((at, i as u32));
        }
        at = next;
        i += 1;
    }
    Ok(at)
}

/// The first row of a member field of `row`.
const fn child(all: &'static Placements, row: u32, field: &str) -> u32 {
    let mut at = row + 1;
    while at < all.rows[row as usize].end {
        if let Some(part) = all.part(at)
            && same(part.field, field)
        {
            return at;
        }
        at = all.after(at);
    }
    NONE
}

const fn headline(
    finding: &Finding,
    all: &'static Placements,
    text: &mut Text<'_>,
) -> Option<&'static Provide> {
    let part = part_at(all, finding.row, finding.part);
    let Role::Provide(provide) = &part.role else { return None };
    quoted(text, part.field);
    text.str(" of ");
    fields(text, all, finding.row);
    text.str(" (");
    text.at(part.at);
    text.str(") takes ");
    wanted(text, provide.key);
    text.str(" from `");
    let mut i = 0;
    while i < provide.from.len() {
        if i > 0 {
            text.str(".");
        }
        text.str(provide.from[i]);
        i += 1;
    }
    text.str("`, ");
    Some(provide)
}

/// The fields lead nowhere, or to several.
pub(super) const fn tell_nowhere(finding: &Finding, all: &'static Placements, text: &mut Text<'_>) {
    let Some(provide) = headline(finding, all, text) else { return };
    let field = provide.from[finding.b as usize];
    let several = child(all, finding.a, field) != NONE;
    text.str("but ");
    quoted(text, field);
    text.str(if several { " of " } else { " is no member of " });
    model(text, all, finding.a);
    if several {
        text.str(" is an array, and each has its own");
    } else {
        near::tell_member(all, finding.a, field, text);
    }
    text.str(LINE);
    model(text, all, finding.a);
    model_at(text, all, finding.a);
    let end = all.rows[finding.a as usize].end;
    let mut at = finding.a + 1;
    text.str(if at < end { " has" } else { " has no members" });
    let mut shown = 0;
    while at < end && shown < 12 {
        if let Some(part) = all.part(at) {
            text.str(if shown == 0 { " " } else { ", " });
            quoted(text, part.field);
        }
        shown += 1;
        at = all.after(at);
    }
}

/// There is no such value in there.
pub(super) const fn tell_without(finding: &Finding, all: &'static Placements, text: &mut Text<'_>) {
    let Some(provide) = headline(finding, all, text) else { return };
    text.str("which does not provide it");
    text.str(LINE);
    text.str("provide it there: write `#[provide(…)] ");
    text.snake(provide.key.name());
    text.str(": Arc<");
    text.str(provide.key.name());
    text.str(">` in ");
    model(text, all, finding.a);
    model_at(text, all, finding.a);
}
