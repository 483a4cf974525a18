//! What machines start after is in the layout, is meant clearly, and does not go round in a circle.

use super::super::node::{Kind, Role};
use super::super::place::{NONE, Placements};
use super::super::reference::Meaning;
use super::super::start::{Dependency, Until};
use super::super::text::Text;
use super::super::value::{Mode, Need};
use super::finding::{Findings, Step};
use super::words::{
    LINE, also, candidates, fields, model, model_at, need, needed_by, part_at, placed_at, quoted, searched,
    somewhere,
};
use super::{Check, Finding, Rule, near};

/// The item of a reference that is no `#[depends_on]`, but `shares_links`.
pub(super) const SHARED: u32 = NONE - 1;

/// In `Check::color`.
const UNSEEN: u32 = 0;
const OPEN: u32 = 1;
const DONE: u32 = 2;

impl Check<'_> {
    /// What a machine depends on, or a scope for all machines inside.
    pub(super) const fn dependencies(&mut self, row: u32, listed: &'static [Dependency]) {
        let count = listed.len();
        let mut i = 0;
        while i < count {
            if let Until::Value(_) = listed[i].until {
                self.awaited(row, i as u32, &listed[i]);
                i += 1;
                continue;
            }
            let key = listed[i].key.id;
            let meaning = self.all.meaning(row, key, listed[i].field);
            if let Meaning::One { target, .. } = meaning
                && self.all.rows[row as usize].node.kind.is_container()
            {
                let end = self.all.rows[row as usize].end;
                if target < row && row < self.all.rows[target as usize].end {
                    let finding = Finding::new(Rule::Around, row, NONE).item(i as u32);
                    self.findings.add(finding.subject(key));
                    i += 1;
                    continue;
                }
                // What is inside may be needed by what is before it and by what is behind.
                self.backwards = self.backwards || row < target && target < end;
            }
            self.reference(row, NONE, i as u32, key, meaning);
            i += 1;
        }
    }

    /// A placed thing that somebody wants; a machine starts after it. What is around is made of what is inside: only a task,
    /// which comes when all is made, can have it, and starts after nothing for it.
    pub(super) const fn placed(&mut self, row: u32, part: u32, item: u32, need: &'static Need) {
        let (key, mode) = (need.key.id, need.mode);
        let meaning = self.all.meaning(row, key, need.field);
        if let Meaning::One { scope, target } = meaning {
            let finding = Finding::new(Rule::NotOnePlaced, row, part).item(item);
            // However many there are, they are depended on; but a task is one of the very model that is named.
            if !matches!(mode, Mode::Running | Mode::RunningToJudge) {
                self.how_many(finding, mode, key, (scope, target));
            }
            let rows = self.all.rows;
            let around = target < row && row < rows[target as usize].end;
            if around
                && (mode.is_of_task() || !matches!(part_at(self.all, row, part).role, Role::Customize(_)))
            {
                let finding = Finding::new(Rule::PlacedAround, row, part).item(item).with(target, 0);
                self.findings.add(finding.subject(key ^ target as u64));
            }
            if around || !matches!(rows[row as usize].node.kind, Kind::Machine) {
                return;
            }
        }
        self.reference(row, part, item, key, meaning);
    }

    pub(super) const fn reference(&mut self, row: u32, part: u32, item: u32, key: u64, meaning: Meaning) {
        match meaning {
            Meaning::Missing => {
                let finding = Finding::new(Rule::MissingPlaced, row, part).item(item);
                self.findings.add(finding.subject(key));
            }
            Meaning::Several { scope } => {
                let finding = Finding::new(Rule::AmbiguousPlaced, row, part).item(item).with(scope, 0);
                self.findings.add(finding.subject(key ^ scope as u64));
            }
            Meaning::One { target, .. } => {
                self.edge_to[self.edges as usize] = target;
                self.edge_part[self.edges as usize] = part;
                self.edge_item[self.edges as usize] = item;
                self.edges += 1;
                if self.all.rows[target as usize].end <= row {
                    self.backwards = true;
                } else {
                    self.forwards = true;
                    // To itself, or to what is around, is both.
                    self.backwards = self.backwards || target <= row;
                }
            }
        }
    }

    /// Looks for circles among the first elements of arrays: whatever they refer to, the others refer to likewise. An
    /// enclave stands for what is inside.
    pub(super) const fn start_cycles(&mut self) {
        // A circle has to turn back.
        if !(self.backwards && self.forwards) {
            return;
        }
        self.inherit();
        let mut start = 0;
        while start < self.size.rows {
            if self.edge_start[start] < self.edge_end[start] && self.color[start] == UNSEEN {
                self.search(start as u32);
            }
            start += 1;
        }
    }

    const fn search(&mut self, start: u32) {
        let mut depth = 0;
        self.open(start, depth);
        loop {
            let row = self.way[depth];
            let to = self.follow(row, depth);
            if to == NONE {
                self.color[row as usize] = DONE;
                if depth == 0 {
                    return;
                }
                depth -= 1;
            } else if self.color[to as usize] == OPEN {
                self.circle(to, depth);
            } else if self.color[to as usize] == UNSEEN {
                depth += 1;
                self.open(to, depth);
            }
        }
    }

    const fn open(&mut self, row: u32, depth: usize) {
        self.color[row as usize] = OPEN;
        self.way[depth] = row;
        self.next[depth] = match self.all.rows[row as usize].node.kind {
            Kind::Machine => self.edge_start[row as usize],
            _ => row + 1,
        };
    }

    /// The next row that `row` starts after, or [`NONE`].
    const fn follow(&mut self, row: u32, depth: usize) -> u32 {
        let next = self.next[depth];
        if matches!(self.all.rows[row as usize].node.kind, Kind::Machine) {
            if next < self.edge_end[row as usize] {
                self.next[depth] += 1;
                return self.edge_to[next as usize];
            }
            // Then what it inherits: beyond all references of its own.
            let entry = if next > self.edges {
                self.inherited_next[(next - self.edges) as usize - 1]
            } else if self.inherited > 0 {
                self.inherited_head[row as usize]
            } else {
                0
            };
            if entry == 0 {
                return NONE;
            }
            self.next[depth] = self.edges + entry;
            return self.edge_to[self.inherited_edge[entry as usize - 1] as usize];
        }
        if next >= self.all.rows[row as usize].end {
            return NONE;
        }
        self.next[depth] = self.all.after(next);
        next
    }

    /// Reports the way from `to` back to it.
    const fn circle(&mut self, to: u32, depth: usize) {
        let mut from = depth;
        while self.way[from] != to {
            from -= 1;
        }
        let first = self.findings.steps_len() as u32;
        let mut least = to;
        let mut at = from;
        while at <= depth {
            let row = self.way[at];
            let next = self.next[at];
            let step = if !matches!(self.all.rows[row as usize].node.kind, Kind::Machine) {
                Step { row, part: NONE, item: NONE, scope: NONE }
            } else if next > self.edges {
                let entry = (next - self.edges) as usize - 1;
                let item = self.edge_item[self.inherited_edge[entry] as usize];
                Step { row, part: NONE, item, scope: self.inherited_from[entry] }
            } else {
                let edge = next as usize - 1;
                Step { row, part: self.edge_part[edge], item: self.edge_item[edge], scope: NONE }
            };
            if !self.findings.step(step) {
                break;
            }
            if row < least {
                least = row;
            }
            at += 1;
        }
        let edge = ((self.way[depth] as u64) << 32 | to as u64) + 1;
        let steps = self.findings.steps_len() as u32 - first;
        let length = (depth - from) as u32 + 1;
        self.findings
            .add(Finding::new(Rule::StartCycle, least, NONE).item(length).with(first, steps).subject(edge));
    }
}

pub(super) const fn tell(finding: &Finding, all: &'static Placements, text: &mut Text<'_>) {
    let row = finding.row;
    let node = all.rows[row as usize].node;
    let shared = finding.item == SHARED;
    let (key, field) = match &node.shares_links {
        Some(shares) if shared => (shares.key, None),
        _ if finding.part == NONE => {
            (node.depends_on[finding.item as usize].key, node.depends_on[finding.item as usize].field)
        }
        _ => {
            let need = need(part_at(all, row, finding.part), finding.item).0;
            (need.key, if need.mode.is_of_task() { need.field } else { None })
        }
    };
    fields(text, all, row);
    text.str(if shared {
        " shares the links of "
    } else if finding.part == NONE {
        " depends on "
    } else {
        wants(need(part_at(all, row, finding.part), finding.item).0)
    });
    quoted(text, key.name());
    if let Some(field) = field {
        text.str(" called ");
        quoted(text, field);
    }
    text.str(match finding.rule {
        Rule::MissingPlaced => ", which is not in the layout",
        _ => ", which could be one of several",
    });
    text.str(LINE);
    if shared {
        super::shared::said_at(text, all, row);
    } else if finding.part == NONE {
        text.str("`#[depends_on]`: ");
        text.at(node.depends_on[finding.item as usize].at);
    } else {
        needed_by(text, part_at(all, row, finding.part), finding.item);
    }
    also(text, all, finding, "and so does");
    if matches!(finding.rule, Rule::MissingPlaced) {
        searched(text, all, row);
        near::tell_placed(all, key, false, text);
        text.str(LINE);
        if let Some(written) = field
            && let Some(meant) = near::field(all, key.id(), written)
        {
            text.str("did you mean ");
            quoted(text, meant.field);
            text.str(" (");
            text.at(meant.at);
            text.str(")? If not, ");
        }
        if key.is_role {
            text.str("let a machine have it: write `#[role] ");
            text.snake(key.name());
            text.str(": ");
            text.str(key.name());
            text.str("` in its model");
            return;
        }
        if key.is_trait() {
            text.str("write `#[implements(");
            text.str(key.name());
            text.str(")]` on the model of a machine");
        } else {
            text.str("write `");
            match field {
                Some(field) => text.str(field),
                None => text.snake(key.name()),
            }
            text.str(": ");
            text.str(key.name());
            text.str("`");
        }
        somewhere(text, all, row);
        return;
    }
    candidates(text, all, finding.a, key.id(), field);
    text.str(LINE);
    if finding.part == NONE && field.is_none() && !shared {
        text.str("write `#[depends_on(");
        text.str(key.name());
        text.str(", name = …)]` with one of these fields' names");
    } else if finding.part != NONE && need(part_at(all, row, finding.part), finding.item).0.field.is_none() {
        let need = need(part_at(all, row, finding.part), finding.item).0;
        text.str("write `");
        if need.mode.is_of_task() {
            said(need, text);
        } else {
            text.str("#[inject(name = …)]");
        }
        text.str("` with one of these fields' names");
    } else {
        text.str("keep one where the machine is, or make them two types");
    }
}

/// What a field or a task does with something placed.
pub(super) const fn wants(need: &Need) -> &'static str {
    if need.mode.is_of_task() { " has a task that depends on " } else { " wants the placed " }
}

/// What a task says of another machine, as it is written: `after = (Mirror.site.index, name = …)`.
const fn said(need: &Need, text: &mut Text<'_>) {
    text.str(need.name);
    text.str(" = (");
    text.str(need.key.name());
    if let Mode::After { customization, task } = need.mode {
        text.str(".");
        text.str(customization);
        text.str(".");
        text.str(task);
    }
    text.str(", name = …)");
}

pub(super) const fn tell_around(finding: &Finding, all: &'static Placements, text: &mut Text<'_>) {
    let part = part_at(all, finding.row, finding.part);
    let (need, _) = need(part, finding.item);
    fields(text, all, finding.row);
    text.str(wants(need));
    quoted(text, need.key.name());
    text.str(", which it is a part of");
    text.str(LINE);
    needed_by(text, part, finding.item);
    also(text, all, finding, "and so does");
    text.str(LINE);
    model(text, all, finding.a);
    model_at(text, all, finding.a);
    text.str(" is around ");
    fields(text, all, finding.row);
    placed_at(text, all, finding.row);
    if need.mode.is_of_task() {
        text.str(": it would start after itself");
        text.str(LINE);
        text.str("name the machines or enclaves that are meant");
        return;
    }
    text.str(": each would wait for the other to be made");
    text.str(LINE);
    text.str("ask for it where it is used, in a setup task: `#[inject] ");
    text.str(need.name);
    text.str(": &Placed<");
    text.str(need.key.name());
    text.str(">`");
}

pub(super) const fn tell_cycle(
    finding: &Finding,
    all: &'static Placements,
    findings: &Findings,
    text: &mut Text<'_>,
) {
    let (first, steps, length) = (finding.a as usize, finding.b as usize, finding.item as usize);
    text.str(if length == 1 {
        "a machine starts after itself: "
    } else {
        "machines start after each other: "
    });
    let mut i = 0;
    while i < steps {
        if i == SHOWN {
            text.str("… -> ");
            break;
        }
        fields(text, all, findings.step_at(first + i).row);
        text.str(" -> ");
        i += 1;
    }
    if steps > 0 {
        fields(text, all, findings.step_at(first).row);
    }
    i = 0;
    let mut inherited = None;
    while i < steps && i < SHOWN {
        text.str(LINE);
        let Step { row, part, item, scope } = findings.step_at(first + i);
        fields(text, all, row);
        if item == NONE {
            text.str(" is around it");
            placed_at(text, all, findings.step_at(first + (i + 1) % steps).row);
        } else if scope != NONE {
            let dependency = &all.rows[scope as usize].node.depends_on[item as usize];
            text.str(" depends on ");
            quoted(text, dependency.key.name());
            text.str(", as all in ");
            fields(text, all, scope);
            text.str(" does: ");
            text.at(dependency.at);
            if inherited.is_none() {
                inherited = Some((row, dependency.key));
            }
        } else if item == SHARED {
            super::shared::says(text, all, row);
        } else if part == NONE {
            let dependency = &all.rows[row as usize].node.depends_on[item as usize];
            text.str(" depends on ");
            quoted(text, dependency.key.name());
            text.str(": ");
            text.at(dependency.at);
        } else {
            let (need, _) = need(part_at(all, row, part), item);
            text.str(wants(need));
            quoted(text, need.key.name());
            text.str(": ");
            text.at(need.at);
        }
        i += 1;
    }
    text.str(LINE);
    text.str("remove one of these");
    if let Some((row, key)) = inherited {
        text.str(", or write `#[ignore_dependency(");
        text.str(key.name());
        text.str(")]` on ");
        model(text, all, row);
        model_at(text, all, row);
    }
}

/// Machines of a circle that are named.
const SHOWN: usize = 16;
