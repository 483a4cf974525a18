//! Circles of values that lead through several scopes.
//!
//! What makes a value asks for values of its own scope and of those around, so a circle that leaves its scope leads back into
//! one by way of a value that is taken `from` a member. Only layouts that have such values are searched.

use super::super::node::{Part, Role};
use super::super::place::{NONE, Placements};
use super::super::text::{Text, same};
use super::super::value::{Need, Provide};
use super::elsewhere::inside;
use super::finding::{Findings, Step};
use super::provides::{DONE, OPEN, UNSEEN, made_first};
use super::words::{LINE, fields, part_at, quoted};
use super::{Check, Finding, Rule};

impl Check<'_> {
    pub(super) const fn detours(&mut self) {
        let entries = self.all.entries;
        let mut i = 0;
        while i < entries.len() {
            self.color[i] = UNSEEN;
            i += 1;
        }
        i = 0;
        while i < entries.len() {
            let provide = provided(self.all, i as u32);
            if self.color[i] == UNSEEN
                && let Some(provide) = provide
                && !provide.from.is_empty()
            {
                self.search_detours(i as u32);
            }
            i += 1;
        }
    }

    const fn search_detours(&mut self, start: u32) {
        let mut depth = 0;
        self.way[0] = start;
        self.next[0] = 0;
        self.color[start as usize] = OPEN;
        loop {
            let entry = self.way[depth];
            let to = self.made_of_anything(entry, depth);
            if to == NONE {
                self.color[entry as usize] = DONE;
                if depth == 0 {
                    return;
                }
                depth -= 1;
            } else if self.color[to as usize] == OPEN {
                self.detour(to, depth);
            } else if self.color[to as usize] == UNSEEN {
                depth += 1;
                self.way[depth] = to;
                self.next[depth] = 0;
                self.color[to as usize] = OPEN;
            }
        }
    }

    /// The next entry that is made before the value of `entry`, or [`NONE`].
    const fn made_of_anything(&mut self, entry: u32, depth: usize) -> u32 {
        let Some(provide) = provided(self.all, entry) else { return NONE };
        let row = self.all.entries[entry as usize].container;
        loop {
            let next = self.next[depth] as usize;
            self.next[depth] += 1;
            if !provide.from.is_empty() {
                let at = if next == 0 { inside(self.all, row, provide.from) } else { return NONE };
                match at {
                    Ok(at) => return self.all.provider(at, provide.key.id),
                    Err(_) => return NONE,
                }
            }
            let need = if next < provide.uses.len() {
                match &sibling(self.all, row, provide.uses[next]) {
                    Some(Part { role: Role::Provide(provide), .. }) => {
                        return self.all.held(row, provide.key.id, false);
                    }
                    Some(Part { role: Role::Inject(need), .. }) => need,
                    _ => continue,
                }
            } else if next - provide.uses.len() < provide.needs.len() {
                &provide.needs[next - provide.uses.len()]
            } else {
                return NONE;
            };
            let made = self.made_for(row, need);
            if made != NONE {
                return made;
            }
        }
    }

    const fn made_for(&self, row: u32, need: &Need) -> u32 {
        if made_first(need) { self.all.provider(row, need.key.id) } else { NONE }
    }

    /// Reports the way from `to` back to it, unless it is all in one scope: then it is reported as that.
    const fn detour(&mut self, to: u32, depth: usize) {
        let mut from = depth;
        let mut leaves = false;
        let container = self.all.entries[to as usize].container;
        while self.way[from] != to {
            leaves = leaves || self.all.entries[self.way[from] as usize].container != container;
            from -= 1;
        }
        if !leaves {
            return;
        }
        let first = self.findings.steps_len() as u32;
        let mut at = from;
        while at <= depth {
            let entry = &self.all.entries[self.way[at] as usize];
            if !self.findings.step(Step { row: entry.container, part: entry.part, item: NONE, scope: NONE }) {
                break;
            }
            at += 1;
        }
        let steps = self.findings.steps_len() as u32 - first;
        let part = self.all.entries[to as usize].part;
        self.findings.add(Finding::new(Rule::DetourCycle, container, part).with(first, steps));
    }
}

/// The value of an entry, if it is one of a value.
const fn provided(all: &'static Placements, entry: u32) -> Option<&'static Provide> {
    let entry = &all.entries[entry as usize];
    // A member, a mask, or no entry at all: masks that hide nothing leave some of the table free.
    if entry.target != NONE || entry.part == NONE || entry.container == NONE {
        return None;
    }
    match &part_at(all, entry.container, entry.part).role {
        Role::Provide(provide) => Some(provide),
        _ => None,
    }
}

const fn sibling(all: &'static Placements, row: u32, field: &str) -> Option<&'static Part> {
    let parts = all.rows[row as usize].node.parts;
    let mut i = 0;
    while i < parts.len() {
        if same(parts[i].field, field) {
            return Some(&parts[i]);
        }
        i += 1;
    }
    None
}

pub(super) const fn tell(
    finding: &Finding,
    all: &'static Placements,
    findings: &Findings,
    text: &mut Text<'_>,
) {
    let (first, steps) = (finding.a as usize, finding.b as usize);
    text.str("values are made of each other, by way of what is taken `from` a member: ");
    let mut i = 0;
    while i <= steps {
        let Step { row, part, .. } = findings.step_at(first + i % steps);
        quoted(text, part_at(all, row, part).field);
        text.str(" of ");
        fields(text, all, row);
        if i < steps {
            text.str(" -> ");
        }
        i += 1;
    }
    i = 0;
    while i < steps {
        let Step { row, part, .. } = findings.step_at(first + i);
        let part = part_at(all, row, part);
        text.str(LINE);
        quoted(text, part.field);
        text.str(" of ");
        fields(text, all, row);
        text.str(": ");
        text.at(part.at);
        i += 1;
    }
    text.str(LINE);
    text.str("ask for one of them as `Deferred<…>`, or make it without the others");
}
