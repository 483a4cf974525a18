//! Every wanted value is provided by a scope around.

use super::super::node::{Kind, Mode, Need, TaskNode};
use super::super::place::{NONE, Placements};
use super::super::text::Text;
use super::words::{
    LINE, also, fields, model, model_at, need, needed_by, part_at, placed_at, quoted, searched, somewhere,
};
use super::{Check, Finding, Rule};

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
            Mode::Optional => {}
            Mode::Placed | Mode::PlacedIfThere | Mode::AllPlaced => {
                self.placed(row, part, item, key, need.mode);
            }
            Mode::Required | Mode::Deferred => {
                if self.all.provider(row, key) == NONE {
                    self.missing(row, part, item, key);
                }
            }
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
    let wanted = need.key.name();
    text.str("nothing provides ");
    quoted(text, wanted);
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
            quoted(text, wanted);
            text.str(" is placed");
            placed_at(text, all, row as u32);
            text.str(": write `Placed<");
            text.str(wanted);
            text.str(">`");
            return;
        }
        row += 1;
    }
    let elsewhere = provided_elsewhere(all, need.key.id());
    if elsewhere != NONE {
        text.str(LINE);
        model(text, all, elsewhere);
        model_at(text, all, elsewhere);
        text.str(" provides one, but only to what is inside it");
    }
    text.str(LINE);
    text.str("provide it: write `#[provide(…)] ");
    if need.name.is_empty() {
        text.snake(wanted);
    } else {
        text.str(need.name);
    }
    text.str(": Arc<");
    text.str(wanted);
    text.str(">`");
    somewhere(text, all, finding.row);
}

/// A scope that provides `key` to others.
const fn provided_elsewhere(all: &'static Placements, key: u64) -> u32 {
    let mut i = 0;
    while i < all.entries.len() {
        let entry = &all.entries[i];
        if entry.target == NONE && entry.key == key {
            return entry.container;
        }
        i += 1;
    }
    NONE
}
