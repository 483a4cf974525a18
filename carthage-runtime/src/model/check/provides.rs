//! Provided values are each provided once in a scope, and can be made one after the other.
//!
//! What makes a value asks for values of its own scope and of those around, so a circle is inside one scope; only by way of a
//! value that is taken `from` a member it may lead through several: see [`detours`](super::detours).

use super::super::node::{Part, Role};
use super::super::place::{NONE, Placements, slot};
use super::super::text::{self, Text, same};
use super::super::value::{Mode, Need};
use super::finding::{Findings, Step};
use super::words::{LINE, model, model_at, part_at, quoted, wanted};
use super::{Check, Finding, Rule};

/// In `Check::color`.
pub(super) const UNSEEN: u32 = 0;
pub(super) const OPEN: u32 = 1;
pub(super) const DONE: u32 = 2;

impl Check<'_> {
    pub(super) const fn provides(&mut self) {
        let entries = self.all.entries;
        let mut i = 0;
        while i < entries.len() {
            let entry = &entries[i];
            if entry.target == NONE && entry.twin != NONE && self.all.rows[entry.container as usize].first {
                let other = entries[entry.twin as usize].part;
                // The first of several links to the last of them, and that one on to the others.
                let finding = Finding::new(Rule::ProvidedTwice, entry.container, entry.part).with(other, 0);
                self.findings.add(finding.subject(entry.key ^ entry.container as u64));
            }
            i += 1;
        }
        // Whatever was left in the table by others, or for items before, is at most this.
        let mut before = self.size.links as u32;
        let mut row = 0;
        while row < self.size.rows {
            let at = &self.all.rows[row];
            if at.provides && at.first && self.mentions(row) {
                self.list_fields(row, before);
                let count = at.node.parts.len();
                let mut part = 0;
                while part < count {
                    if self.color[part] == UNSEEN && matches!(at.node.parts[part].role, Role::Provide(_)) {
                        self.search_values(row as u32, part as u32, before);
                    }
                    part += 1;
                }
                before += count as u32;
            }
            row += 1;
        }
    }

    /// Whether any value here is made of others.
    const fn mentions(&self, row: usize) -> bool {
        let parts = self.all.rows[row].node.parts;
        let count = parts.len();
        let mut i = 0;
        while i < count {
            if let Role::Provide(provide) = &parts[i].role
                && (!provide.uses.is_empty() || !provide.needs.is_empty())
            {
                return true;
            }
            i += 1;
        }
        false
    }

    /// Enters the fields that are values into the table of names.
    const fn list_fields(&mut self, row: usize, before: u32) {
        let parts = self.all.rows[row].node.parts;
        let slots = self.field_slots.len();
        let mut i = 0;
        while i < parts.len() {
            self.color[i] = UNSEEN;
            if matches!(parts[i].role, Role::Provide(_) | Role::Inject(_)) {
                let mut at = slot(hash(way_and_name(parts[i].field).1), 0, slots);
                while self.field_slots[at] > before {
                    at = (at + 1) & (slots - 1);
                }
                self.field_slots[at] = before + i as u32 + 1;
            }
            i += 1;
        }
    }

    /// The field that an expression of `of` calls by this name: of the same machine, or of the same role.
    const fn field(&self, row: u32, of: &str, name: &str, before: u32) -> Option<u32> {
        let parts = self.all.rows[row as usize].node.parts;
        let slots = self.field_slots.len();
        let mut at = slot(hash(name), 0, slots);
        while self.field_slots[at] > before {
            let part = self.field_slots[at] - before - 1;
            let (way, field) = way_and_name(parts[part as usize].field);
            if same(field, name) && same(way, way_and_name(of).0) {
                return Some(part);
            }
            at = (at + 1) & (slots - 1);
        }
        None
    }

    const fn search_values(&mut self, row: u32, start: u32, before: u32) {
        let mut depth = 0;
        self.way[0] = start;
        self.next[0] = 0;
        self.color[start as usize] = OPEN;
        loop {
            let part = self.way[depth];
            let to = self.made_of(row, part, depth, before);
            if to == NONE {
                self.color[part as usize] = DONE;
                if depth == 0 {
                    return;
                }
                depth -= 1;
            } else if self.color[to as usize] == OPEN {
                self.value_circle(row, to, depth);
            } else if self.color[to as usize] == UNSEEN {
                depth += 1;
                self.way[depth] = to;
                self.next[depth] = 0;
                self.color[to as usize] = OPEN;
            }
        }
    }

    /// The next value of this scope that the one in `part` is made of, or [`NONE`].
    const fn made_of(&mut self, row: u32, part: u32, depth: usize, before: u32) -> u32 {
        let parts = self.all.rows[row as usize].node.parts;
        let Part { field: of, role: Role::Provide(provide), .. } = &parts[part as usize] else { return NONE };
        loop {
            let next = self.next[depth] as usize;
            self.next[depth] += 1;
            let need = if next < provide.uses.len() {
                let Some(sibling) = self.field(row, of, provide.uses[next], before) else { continue };
                match &parts[sibling as usize].role {
                    Role::Provide(_) => return sibling,
                    Role::Inject(need) => need,
                    _ => continue,
                }
            } else if next - provide.uses.len() < provide.needs.len() {
                &provide.needs[next - provide.uses.len()]
            } else {
                return NONE;
            };
            if made_first(need) {
                let entry = self.all.held(row, need.key.id(), false);
                if entry != NONE && self.all.entries[entry as usize].part != NONE {
                    return self.all.entries[entry as usize].part;
                }
            }
        }
    }

    const fn value_circle(&mut self, row: u32, to: u32, depth: usize) {
        let mut from = depth;
        while self.way[from] != to {
            from -= 1;
        }
        let first = self.findings.steps_len() as u32;
        let mut at = from;
        while at <= depth && self.findings.step(Step { row, part: self.way[at], item: NONE, scope: NONE }) {
            at += 1;
        }
        let steps = self.findings.steps_len() as u32 - first;
        self.findings.add(Finding::new(Rule::ProvideCycle, row, to).with(first, steps));
    }
}

/// Whether a value that is needed so must be made first.
pub(super) const fn made_first(need: &Need) -> bool {
    matches!(need.mode, Mode::Required | Mode::Optional)
}

/// `web.` and `page` of the name `web.page` of a part of a role; otherwise the first is empty.
const fn way_and_name(field: &str) -> (&str, &str) {
    let bytes = field.as_bytes();
    let mut end = bytes.len();
    while end > 0 && bytes[end - 1] != b'.' {
        end -= 1;
    }
    (text::str(bytes, 0, end), text::str(bytes, end, bytes.len() - end))
}

const fn hash(name: &str) -> u64 {
    let bytes = name.as_bytes();
    let count = bytes.len();
    let mut hash = 0_u64;
    let mut i = 0;
    while i < count {
        hash = hash.rotate_left(7) ^ bytes[i] as u64;
        i += 1;
    }
    hash
}

pub(super) const fn tell(finding: &Finding, all: &'static Placements, text: &mut Text<'_>) {
    let (part, other) = (part_at(all, finding.row, finding.part), part_at(all, finding.row, finding.a));
    let Role::Provide(provide) = &part.role else { return };
    model(text, all, finding.row);
    text.str(" provides ");
    wanted(text, provide.key);
    text.str(" twice: ");
    quoted(text, part.field);
    text.str(" (");
    text.at(part.at);
    text.str(") and ");
    quoted(text, other.field);
    text.str(" (");
    text.at(other.at);
    text.str(")");
    text.str(LINE);
    text.str(
        "remove one, or tell them apart: by a constraint, `#[provide(Site = \"red\", …)]`, or by a key, \
         `injection_key!(pub Other: ",
    );
    text.str(provide.key.name());
    text.str(")`");
}

pub(super) const fn tell_cycle(
    finding: &Finding,
    all: &'static Placements,
    findings: &Findings,
    text: &mut Text<'_>,
) {
    let (first, steps) = (finding.a as usize, finding.b as usize);
    text.str(if steps == 1 { "a value of " } else { "values of " });
    model(text, all, finding.row);
    model_at(text, all, finding.row);
    text.str(if steps == 1 { " is made of itself: " } else { " are made of each other: " });
    let mut i = 0;
    while i < steps {
        quoted(text, part_at(all, finding.row, findings.step_at(first + i).part).field);
        text.str(" -> ");
        i += 1;
    }
    quoted(text, part_at(all, finding.row, finding.part).field);
    i = 0;
    while i < steps {
        let part = part_at(all, finding.row, findings.step_at(first + i).part);
        text.str(LINE);
        quoted(text, part.field);
        text.str(": ");
        text.at(part.at);
        i += 1;
    }
    text.str(LINE);
    text.str("ask for one of them as `Deferred<…>`, or make it without the others");
}
