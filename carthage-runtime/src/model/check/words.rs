//! Phrases that the families share.

use super::super::addressing::{Cidr4, Range4};
use super::super::key::Key;
use super::super::node::{Part, Role};
use super::super::place::{NONE, Placement, Placements};
use super::super::text::{Text, same};
use super::super::value::Need;
use super::Finding;

/// The line after this, indented below the headline.
pub(super) const LINE: &str = "\n  ";

pub(super) const fn placement(all: &'static Placements, row: u32) -> Placement {
    Placement { all, row }
}

/// The name of the type at `row`, quoted.
pub(super) const fn model(text: &mut Text<'_>, all: &'static Placements, row: u32) {
    quoted(text, all.rows[row as usize].node.key.name());
}

pub(super) const fn quoted(text: &mut Text<'_>, s: &str) {
    text.str("`");
    text.str(s);
    text.str("`");
}

/// `JoinToken`, and what it is constrained by.
pub(super) const fn wanted(text: &mut Text<'_>, key: Key) {
    quoted(text, key.name());
    let constraints = key.constraints();
    let mut i = 0;
    while i < constraints.len() {
        text.str(if i == 0 { " with `" } else { ", `" });
        constraints[i].tell(text);
        text.str("`");
        i += 1;
    }
}

/// The fields that lead to `row`, with no number for arrays: `algebra.workers`. The layout is called by its type.
pub(super) const fn fields(text: &mut Text<'_>, all: &'static Placements, row: u32) {
    text.str("`");
    if row == 0 {
        text.str(all.rows[0].node.key.name());
    } else {
        let mut depth = 0;
        let mut at = row;
        while at != 0 {
            at = all.rows[at as usize].parent;
            depth += 1;
        }
        while depth > 0 {
            depth -= 1;
            let mut at = row;
            let mut up = depth;
            while up > 0 {
                at = all.rows[at as usize].parent;
                up -= 1;
            }
            text.str(placement(all, at).field());
            if depth > 0 {
                text.str(".");
            }
        }
    }
    text.str("`");
}

/// The very element at `row`: `algebra.workers.2`.
pub(super) const fn element(text: &mut Text<'_>, all: &'static Placements, row: u32) {
    if row == 0 {
        model(text, all, row);
    } else {
        quoted(text, placement(all, row).path());
    }
}

/// `eth0` of `algebra.workers`.
pub(super) const fn field_of(text: &mut Text<'_>, all: &'static Placements, row: u32, part: u32) {
    quoted(text, part_at(all, row, part).field);
    text.str(" of ");
    fields(text, all, row);
}

pub(super) const fn part_at(all: &'static Placements, row: u32, part: u32) -> &'static Part {
    &all.rows[row as usize].node.parts[part as usize]
}

/// ` (src/main.rs:12)`: of the field that places it, or of the layout.
pub(super) const fn placed_at(text: &mut Text<'_>, all: &'static Placements, row: u32) {
    text.str(" (");
    match all.part(row) {
        Some(part) => text.at(part.at),
        None => text.at(all.rows[row as usize].node.at),
    }
    text.str(")");
}

/// ` (src/main.rs:12)`: of the type.
pub(super) const fn model_at(text: &mut Text<'_>, all: &'static Placements, row: u32) {
    text.str(" (");
    text.at(all.rows[row as usize].node.at);
    text.str(")");
}

/// The scopes from `from` outwards, each with its place.
pub(super) const fn searched(text: &mut Text<'_>, all: &'static Placements, from: u32) {
    text.str(LINE);
    text.str("searched: ");
    let mut at = from;
    loop {
        model(text, all, at);
        model_at(text, all, at);
        at = all.rows[at as usize].parent;
        if at == NONE {
            return;
        }
        text.str(", ");
    }
}

/// Where something could be added for `row`: in the scope around it, or in the layout.
pub(super) const fn somewhere(text: &mut Text<'_>, all: &'static Placements, row: u32) {
    let around = match all.rows[row as usize].parent {
        NONE => 0,
        parent => parent,
    };
    text.str(" in ");
    model(text, all, around);
    if around != 0 {
        text.str(" or in ");
        model(text, all, 0);
    }
}

/// The other places with the same problem.
pub(super) const fn also(text: &mut Text<'_>, all: &'static Placements, finding: &Finding, before: &str) {
    if finding.also_count == 0 {
        return;
    }
    text.str(LINE);
    text.str(before);
    let mut i = 0;
    while i < Finding::ALSO && i < finding.also_count as usize {
        text.str(if i == 0 { " " } else { ", " });
        fields(text, all, finding.also[i]);
        i += 1;
    }
    let left = finding.also_count as usize - i;
    if left > 0 {
        text.str(" and ");
        text.number(left as u64);
        text.str(" more");
    }
}

/// The `item`th value that a field wants: one of its own, or of the tasks of its customization.
pub(super) const fn need(part: &'static Part, item: u32) -> (&'static Need, Option<&'static str>) {
    match &part.role {
        Role::Inject(need) => (need, None),
        Role::Provide(provide) => (&provide.needs[item as usize], None),
        Role::Customize(node) => {
            let mut left = item as usize;
            let mut t = 0;
            while t < node.tasks.len() {
                let task = &node.tasks[t];
                if left < task.needs.len() {
                    return (&task.needs[left], Some(task.name));
                }
                left -= task.needs.len();
                t += 1;
            }
            panic!("a customization has fewer needs than were found")
        }
        _ => panic!("this field wants nothing"),
    }
}

/// ``needed by `token` of task `enter` in `join`, src/join.rs:12``
pub(super) const fn needed_by(text: &mut Text<'_>, part: &'static Part, item: u32) {
    let (need, task) = need(part, item);
    text.str("needed by ");
    match (&part.role, task) {
        (Role::Customize(node), Some(task)) => {
            text.str("task ");
            quoted(text, task);
            text.str(" of customization ");
            quoted(text, node.key.name());
            text.str(" (");
            text.at(need.at);
            text.str("), in field ");
            quoted(text, part.field);
            text.str(" (");
            text.at(part.at);
        }
        (Role::Provide(_), _) => {
            text.str("what makes ");
            quoted(text, part.field);
            text.str(" (");
            text.at(need.at);
        }
        _ => {
            text.str("field ");
            quoted(text, part.field);
            text.str(" (");
            text.at(need.at);
        }
    }
    text.str(")");
}

/// The placements with this key below `scope`, as far as there is room for them on a line.
pub(super) const fn candidates(
    text: &mut Text<'_>,
    all: &'static Placements,
    scope: u32,
    key: u64,
    field: Option<&str>,
) {
    text.str(LINE);
    model(text, all, scope);
    model_at(text, all, scope);
    text.str(" holds ");
    let end = all.rows[scope as usize].end;
    let mut shown = 0;
    let mut row = scope + 1;
    while row < end {
        let at = &all.rows[row as usize];
        let called = match (field, all.part(row)) {
            (Some(field), Some(part)) => same(field, part.field),
            _ => true,
        };
        if at.origin == row && all.answers(row, key) && called {
            if shown == 4 {
                text.str(" …");
                return;
            }
            if shown > 0 {
                text.str(", ");
            }
            fields(text, all, row);
            placed_at(text, all, row);
            shown += 1;
        }
        row += 1;
    }
}

pub(super) const fn cidr(text: &mut Text<'_>, cidr: Cidr4) {
    text.address(cidr.network.to_bits());
    text.str("/");
    text.number(cidr.prefix as u64);
}

pub(super) const fn range(text: &mut Text<'_>, range: Range4) {
    text.address(range.first.to_bits());
    if range.first.to_bits() != range.last.to_bits() {
        text.str("-");
        text.address(range.last.to_bits());
    }
}

/// The first and last address that a machine in `cidr` can have.
pub(super) const fn usable(cidr: Cidr4) -> (u32, u32) {
    let (first, last) = ends(cidr);
    if cidr.prefix >= 31 { (first, last) } else { (first + 1, last - 1) }
}

/// The first and last address of `cidr`.
pub(super) const fn ends(cidr: Cidr4) -> (u32, u32) {
    let host = if cidr.prefix >= 32 { 0 } else { u32::MAX >> cidr.prefix };
    let first = cidr.network.to_bits() & !host;
    (first, first | host)
}
