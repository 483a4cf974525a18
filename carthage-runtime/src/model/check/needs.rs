//! Every wanted value is provided by a scope around.

use super::super::key::Key;
use super::super::node::{Kind, Role, TaskNode};
use super::super::place::{NONE, Placements};
use super::super::text::Text;
use super::super::value::{Mode, Need};
use super::words::{
    LINE, also, fields, model, model_at, need, needed_by, part_at, placed_at, quoted, searched, somewhere,
    wanted,
};
use super::{Check, Finding, Rule, near};

impl Check<'_> {
    /// What the tasks of a customization want.
    pub(super) const fn tasks(&mut self, row: u32, part: u32, tasks: &'static [TaskNode]) {
        let count = tasks.len();
        let mut item = 0;
        let mut i = 0;
        while i < count {
            item = self.needs(row, part, item, tasks[i].needs);
            i += 1;
        }
    }

    /// Several values; counts on from `first`.
    pub(super) const fn needs(&mut self, row: u32, part: u32, first: u32, needs: &'static [Need]) -> u32 {
        let count = needs.len();
        let mut i = 0;
        while i < count {
            self.need(row, part, first + i as u32, &needs[i]);
            i += 1;
        }
        first + count as u32
    }

    /// One wanted value.
    pub(super) const fn need(&mut self, row: u32, part: u32, item: u32, need: &'static Need) {
        let key = need.key.id;
        match need.mode {
            Mode::Optional | Mode::Every => {}
            Mode::Required | Mode::Deferred => {
                if self.all.provider(row, key) == NONE {
                    self.missing(row, part, item, key);
                }
            }
            // Its own is made before it is asked for.
            Mode::Generated if self.all.rows[row as usize].node.key.id() == key => {}
            _ => self.placed(row, part, item, need),
        }
    }

    const fn missing(&mut self, row: u32, part: u32, item: u32, key: u64) {
        // Forgetting to provide a value is one mistake, however many want it.
        self.findings.add(Finding::new(Rule::MissingValue, row, part).item(item).subject(key));
    }
}

pub(super) const fn tell(finding: &Finding, all: &'static Placements, text: &mut Text<'_>) {
    let part = part_at(all, finding.row, finding.part);
    let (need, _) = need(part, finding.item);
    let name = need.key.name();
    text.str("nothing provides ");
    wanted(text, need.key);
    text.str(" to ");
    fields(text, all, finding.row);
    text.str(LINE);
    needed_by(text, part, finding.item);
    also(text, all, finding, "and by");
    searched(text, all, finding.row);
    let mut row = 0;
    while row < all.rows.len() {
        let at = &all.rows[row];
        if at.node.key.id() == need.key.id() && !matches!(at.node.kind, Kind::Customization) {
            text.str(LINE);
            quoted(text, name);
            text.str(" is placed");
            placed_at(text, all, row as u32);
            text.str(": write `Placed<");
            text.str(name);
            text.str(">`");
            return;
        }
        row += 1;
    }
    if hidden(all, finding.row, need.key, text) {
        return;
    }
    let elsewhere = provided_elsewhere(all, need.key.id());
    if elsewhere != NONE {
        text.str(LINE);
        model(text, all, elsewhere);
        model_at(text, all, elsewhere);
        text.str(" provides one, but only to what is inside it");
    }
    otherwise(all, finding.row, need.key, text);
    near::tell_value(all, finding.row, need.key, text);
    text.str(LINE);
    text.str("provide it: write `#[provide(");
    let constraints = need.key.constraints();
    let mut i = 0;
    while i < constraints.len() {
        constraints[i].tell(text);
        text.str(", ");
        i += 1;
    }
    text.str("…)] ");
    if need.name.is_empty() {
        text.snake(name);
    } else {
        text.str(need.name);
    }
    text.str(": Arc<");
    text.str(name);
    text.str(">`");
    somewhere(text, all, finding.row);
}

/// The mask that hides a value, if one does and the value is provided around.
const fn hidden(all: &'static Placements, from: u32, key: Key, text: &mut Text<'_>) -> bool {
    let mut row = from;
    while row != NONE {
        let masks = all.rows[row as usize].node.masks;
        let mut i = 0;
        while i < masks.len() {
            let parent = all.rows[row as usize].parent;
            if masks[i].key.is(key) && parent != NONE && all.provider(parent, key.id()) != NONE {
                text.str(LINE);
                model(text, all, row);
                text.str(" hides the one that is provided around it: `#[mask(");
                text.str(key.name());
                text.str(")]` (");
                text.at(masks[i].at);
                text.str(")");
                text.str(LINE);
                text.str("remove the mask, ask for `Option<Arc<");
                text.str(key.name());
                text.str(">>`, or provide one inside of it");
                return true;
            }
            i += 1;
        }
        row = all.rows[row as usize].parent;
    }
    false
}

/// The likes of `key` with other constraints that the scopes from `from` outwards provide.
const fn otherwise(all: &'static Placements, from: u32, key: Key, text: &mut Text<'_>) {
    let mut shown = 0;
    let mut row = from;
    while row != NONE {
        let node = all.rows[row as usize].node;
        let mut i = 0;
        while i < node.parts.len() && shown < 4 {
            if let Role::Provide(provide) = &node.parts[i].role
                && provide.key.plain().is(key.plain())
            {
                text.str(if shown == 0 { LINE } else { ", " });
                if shown == 0 {
                    text.str("needed as ");
                    wanted(text, key);
                    text.str(", provided as ");
                }
                wanted(text, provide.key);
                text.str(" (");
                text.at(node.parts[i].at);
                text.str(")");
                shown += 1;
            }
            i += 1;
        }
        row = all.rows[row as usize].parent;
    }
}

/// A scope that provides `key` to others.
const fn provided_elsewhere(all: &'static Placements, key: u64) -> u32 {
    let mut i = 0;
    while i < all.entries.len() {
        let entry = &all.entries[i];
        if entry.target == NONE && entry.key == key && entry.part != NONE {
            return entry.container;
        }
        i += 1;
    }
    NONE
}
