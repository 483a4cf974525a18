//! What machines inherit of the start dependencies of the scopes around: what they ignore and cut off is there.
//!
//! What is inherited is only listed when it could lead to a circle, from the innermost scopes outwards: each scope hands down to
//! the machines inside what they do not keep out. What it depends on itself, and what that needs, does not wait for itself.

use super::super::node::Kind;
use super::super::place::{NONE, Placements};
use super::super::start::{Dependency, Ignored, Until};
use super::super::text::Text;
use super::words::{LINE, also, fields, model, model_at, quoted, searched};
use super::{Check, Finding, Rule, near};

impl Check<'_> {
    /// `#[ignore_dependency]` and `override_dependencies` of what is placed at `row`.
    pub(super) const fn kept_out(&mut self, row: u32) {
        let node = self.all.rows[row as usize].node;
        let starts = &node.starts;
        // One model in many places makes one mistake.
        let model = node.key.id().rotate_left(1);
        let mut i = 0;
        while i < starts.ignores.len() {
            let ignored = &starts.ignores[i];
            let mut before = 0;
            while before < i && !same(&starts.ignores[before], ignored) {
                before += 1;
            }
            if before < i {
                let finding =
                    Finding::new(Rule::IgnoredTwice, row, NONE).item(i as u32).with(before as u32, 0);
                self.findings.add(finding.subject(ignored.key.id() ^ model));
            } else if !self.all.inherits(row, ignored) {
                let finding = Finding::new(Rule::IgnoredNothing, row, NONE).item(i as u32);
                self.findings.add(finding.subject(ignored.key.id() ^ model));
            }
            i += 1;
        }
        if let Some(overrides) = &starts.overrides
            && let Some(key) = overrides.scope
            && self.all.around(row, key) == NONE
        {
            self.findings.add(Finding::new(Rule::NotAround, row, NONE).subject(key.id() ^ model));
        }
    }

    /// A value that a machine waits for.
    pub(super) const fn awaited(&mut self, row: u32, item: u32, dependency: &'static Dependency) {
        let key = dependency.key.id();
        if self.all.provider(row, key) == NONE {
            self.findings.add(Finding::new(Rule::MissingAwaited, row, NONE).item(item).subject(key));
        }
    }

    /// Lists what machines inherit.
    pub(super) const fn inherit(&mut self) {
        if self.size.inherited == 0 {
            return;
        }
        let mut scope = self.size.rows;
        while scope > 0 {
            scope -= 1;
            let is_container = self.all.rows[scope].node.kind.is_container();
            if is_container && self.edge_start[scope] < self.edge_end[scope] {
                self.mark(scope as u32);
                self.hand_down(scope as u32);
            }
        }
    }

    /// Marks all that this scope depends on, by dependencies of machines and of scopes inside.
    const fn mark(&mut self, scope: u32) {
        let rows = self.all.rows;
        let mut depth = self.mark_targets(scope, scope, 0);
        while depth > 0 {
            depth -= 1;
            let row = self.way[depth];
            let end = rows[row as usize].end;
            if !matches!(rows[row as usize].node.kind, Kind::Machine) {
                let mut inside = row + 1;
                while inside < end {
                    depth = self.mark_one(scope, inside, depth);
                    inside = self.all.after(inside);
                }
                continue;
            }
            depth = self.mark_targets(scope, row, depth);
            let mut entry = self.inherited_head[row as usize];
            while entry != 0 {
                let from = self.inherited_from[entry as usize - 1];
                if scope < from && from < rows[scope as usize].end {
                    let edge = self.inherited_edge[entry as usize - 1];
                    depth = self.mark_one(scope, self.edge_to[edge as usize], depth);
                }
                entry = self.inherited_next[entry as usize - 1];
            }
        }
    }

    const fn mark_targets(&mut self, scope: u32, row: u32, mut depth: usize) -> usize {
        let mut edge = self.edge_start[row as usize];
        while edge < self.edge_end[row as usize] {
            depth = self.mark_one(scope, self.edge_to[edge as usize], depth);
            edge += 1;
        }
        depth
    }

    const fn mark_one(&mut self, scope: u32, row: u32, depth: usize) -> usize {
        if self.marks[row as usize] == scope + 1 {
            return depth;
        }
        self.marks[row as usize] = scope + 1;
        self.way[depth] = row;
        depth + 1
    }

    /// Enters what this scope depends on with the machines inside that are not marked. The first elements of arrays are enough.
    const fn hand_down(&mut self, scope: u32) {
        let rows = self.all.rows;
        let end = rows[scope as usize].end;
        let mut edge = self.edge_start[scope as usize];
        while edge < self.edge_end[scope as usize] {
            let dependency = &rows[scope as usize].node.depends_on[self.edge_item[edge as usize] as usize];
            let mut row = scope + 1;
            while row < end {
                let at = &rows[row as usize];
                if at.origin != row || self.all.keeps_out(row, scope, dependency) {
                    row = at.end;
                    continue;
                }
                if matches!(at.node.kind, Kind::Machine) && self.marks[row as usize] != scope + 1 {
                    let entry = self.inherited as usize;
                    self.inherited_edge[entry] = edge;
                    self.inherited_from[entry] = scope;
                    self.inherited_next[entry] = self.inherited_head[row as usize];
                    self.inherited += 1;
                    self.inherited_head[row as usize] = self.inherited;
                }
                row += 1;
            }
            edge += 1;
        }
    }
}

/// Whether two entries ignore the same.
const fn same(one: &Ignored, other: &Ignored) -> bool {
    one.key.id() == other.key.id()
        && match (one.field, other.field) {
            (None, None) => true,
            (Some(one), Some(other)) => super::super::text::same(one, other),
            _ => false,
        }
}

impl Placements {
    /// Whether a scope around `row` depends on what is ignored, and nothing on the way keeps it out.
    const fn inherits(&self, row: u32, ignored: &Ignored) -> bool {
        let mut scope = self.rows[row as usize].parent;
        while scope != NONE {
            let depends_on = self.rows[scope as usize].node.depends_on;
            let mut i = 0;
            while i < depends_on.len() {
                if ignored.is(&depends_on[i]) && self.comes_to(row, scope, &depends_on[i]) {
                    return true;
                }
                i += 1;
            }
            scope = self.rows[scope as usize].parent;
        }
        false
    }

    /// Whether a dependency of the scope at `scope` comes as far as `row`, whatever that ignores itself.
    const fn comes_to(&self, row: u32, scope: u32, dependency: &Dependency) -> bool {
        let mut at = self.rows[row as usize].parent;
        while at != scope {
            if self.keeps_out(at, scope, dependency) {
                return false;
            }
            at = self.rows[at as usize].parent;
        }
        !self.cuts_off(row, scope)
    }
}

pub(super) const fn tell(finding: &Finding, all: &'static Placements, text: &mut Text<'_>) {
    let (row, node) = (finding.row, all.rows[finding.row as usize].node);
    match finding.rule {
        Rule::NotAround => tell_not_around(finding, all, text),
        Rule::MissingAwaited => {
            let dependency = &node.depends_on[finding.item as usize];
            fields(text, all, row);
            text.str(" starts after the value ");
            quoted(text, dependency.key.name());
            text.str(", which nothing provides to it");
            text.str(LINE);
            text.str("`#[depends_on]`: ");
            text.at(dependency.at);
            also(text, all, finding, "and so does");
            searched(text, all, row);
            text.str(LINE);
            text.str("provide it in one of these: `#[provide(…)] ");
            text.snake(dependency.key.name());
            text.str(": Arc<");
            text.str(dependency.key.name());
            text.str(">`");
        }
        Rule::Around => {
            let dependency = &node.depends_on[finding.item as usize];
            fields(text, all, row);
            text.str(" depends on ");
            quoted(text, dependency.key.name());
            text.str(", which is around it");
            text.str(LINE);
            text.str("`#[depends_on]`: ");
            text.at(dependency.at);
            also(text, all, finding, "and so does");
            text.str(LINE);
            text.str("what is in ");
            model(text, all, row);
            model_at(text, all, row);
            text.str(" is a part of it, and would start after itself; name the machines or enclaves that come first");
        }
        Rule::IgnoredTwice => {
            fields(text, all, row);
            text.str(" ignores its dependency on ");
            quoted(text, node.starts.ignores[finding.item as usize].key.name());
            text.str(" twice");
            text.str(LINE);
            text.str("`#[ignore_dependency]`: ");
            text.at(node.starts.ignores[finding.a as usize].at);
            text.str(", ");
            text.at(node.starts.ignores[finding.item as usize].at);
            also(text, all, finding, "and so does");
            text.str(LINE);
            text.str("remove one of these");
        }
        _ => tell_nothing(finding, all, text),
    }
}

/// An ignored dependency that is not inherited: those that are, or why there are none.
const fn tell_nothing(finding: &Finding, all: &'static Placements, text: &mut Text<'_>) {
    let (row, node) = (finding.row, all.rows[finding.row as usize].node);
    let ignored = &node.starts.ignores[finding.item as usize];
    let name = ignored.key.name();
    fields(text, all, row);
    text.str(" ignores a dependency on ");
    quoted(text, name);
    if let Some(field) = ignored.field {
        text.str(" called ");
        quoted(text, field);
    }
    text.str(" that it does not inherit");
    text.str(LINE);
    text.str("`#[ignore_dependency]`: ");
    text.at(ignored.at);
    also(text, all, finding, "and so does");
    let mut i = 0;
    while i < node.depends_on.len() {
        if ignored.is(&node.depends_on[i]) {
            text.str(LINE);
            text.str("it depends on it itself (");
            text.at(node.depends_on[i].at);
            text.str("): remove one of the two");
            return;
        }
        i += 1;
    }
    text.str(LINE);
    let mut meant = false;
    let mut shown = 0;
    let mut scope = all.rows[row as usize].parent;
    while scope != NONE {
        let depends_on = all.rows[scope as usize].node.depends_on;
        let mut i = 0;
        while i < depends_on.len() {
            if all.comes_to(row, scope, &depends_on[i]) {
                text.str(if shown == 0 { "it inherits: " } else { ", " });
                let key = depends_on[i].key;
                quoted(text, key.name());
                text.str(" (");
                text.at(depends_on[i].at);
                text.str(")");
                shown += 1;
                if !meant && near::is(name, key.name()) {
                    meant = true;
                    text.str(" — did you mean this? write `#[ignore_dependency(");
                    text.str(if matches!(depends_on[i].until, Until::Value(_)) { "with = " } else { "" });
                    text.str(key.name());
                    text.str(")]`");
                }
            }
            i += 1;
        }
        scope = all.rows[scope as usize].parent;
    }
    if shown == 0 {
        text.str("it inherits none");
        if let Some(overrides) = &node.starts.overrides {
            text.str(": `override_dependencies` (");
            text.at(overrides.at);
            text.str(") cuts them off");
        }
    }
}

const fn tell_not_around(finding: &Finding, all: &'static Placements, text: &mut Text<'_>) {
    let row = finding.row;
    let Some(overrides) = &all.rows[row as usize].node.starts.overrides else { return };
    let Some(key) = overrides.scope else { return };
    fields(text, all, row);
    text.str(" overrides its dependencies up to ");
    quoted(text, key.name());
    text.str(", which is not around it");
    text.str(LINE);
    text.str("`override_dependencies`: ");
    text.at(overrides.at);
    also(text, all, finding, "and so does");
    text.str(LINE);
    let mut scope = all.rows[row as usize].parent;
    if scope == NONE {
        text.str("nothing is around a layout");
        return;
    }
    text.str("around it are: ");
    loop {
        model(text, all, scope);
        model_at(text, all, scope);
        scope = all.rows[scope as usize].parent;
        if scope == NONE {
            break;
        }
        text.str(", ");
    }
    text.str(LINE);
    text.str("write one of these, or `true` to inherit nothing at all");
}
