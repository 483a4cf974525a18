//! What machines start after: what a node says of it, and what that comes to for every machine of a tree.
//!
//! A machine starts after what its own model depends on, and after what the scopes around it do, unless something on the way
//! cuts that off. What a scope depends on, and whatever that needs itself, does not wait for itself.

use std::collections::HashSet;
use std::sync::Arc;

use super::key::{At, Key};
use super::node::Kind;
use super::place::{NONE, Placement, Placements};
use super::text::same;
use super::value::Mode;
use crate::machine::start::OfValue;

/// An entry of `#[depends_on]`.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Dependency {
    /// The type that is depended on: a model, or of [`Until::Value`] a value.
    pub key: Key,
    /// `name = …`: the field that holds it, where there are several.
    pub field: Option<&'static str>,
    /// Where it is written.
    pub at: At,
    /// How long it is waited.
    pub until: Until,
}

/// Until when a machine waits for what it depends on.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Until {
    /// It runs, and its tasks are done.
    Done,
    /// The same, and a command in it succeeds.
    Command(&'static [&'static str], u64),
    /// A value, which says so itself.
    Value(OfValue),
}

impl Dependency {
    /// On the model with this key.
    #[must_use]
    pub const fn new(key: Key, at: At) -> Self {
        Self { key, field: None, at, until: Until::Done }
    }

    /// On a value that is provided.
    #[must_use]
    pub const fn value(key: Key, value: OfValue, at: At) -> Self {
        Self { key, field: None, at, until: Until::Value(value) }
    }

    /// The one that this field holds.
    #[must_use]
    pub const fn field(mut self, field: &'static str) -> Self {
        self.field = Some(field);
        self
    }

    /// Until this command succeeds there, for at most so many seconds.
    #[must_use]
    pub const fn command(mut self, argv: &'static [&'static str], limit_seconds: u64) -> Self {
        self.until = Until::Command(argv, limit_seconds);
        self
    }
}

/// What is made of the start dependencies of scopes around.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Starts {
    /// `#[ignore_dependency]`: not these.
    pub ignores: &'static [Ignored],
    /// `override_dependencies`: none from here to there.
    pub overrides: Option<Override>,
}

/// An entry of `#[ignore_dependency]`.
#[derive(Clone, Copy, Debug)]
pub struct Ignored {
    /// What a scope around depends on.
    pub key: Key,
    /// The field that it names; any, if absent.
    pub field: Option<&'static str>,
    /// Where it is written.
    pub at: At,
}

/// `override_dependencies = …`.
#[derive(Clone, Copy, Debug)]
pub struct Override {
    /// The scope up to which, itself included, nothing is inherited; from no scope at all, if absent.
    pub scope: Option<Key>,
    /// Where it is written.
    pub at: At,
}

impl Starts {
    /// All is inherited.
    pub const INHERITED: Self = Self { ignores: &[], overrides: None };

    /// Without these.
    #[must_use]
    pub const fn ignores(mut self, ignores: &'static [Ignored]) -> Self {
        self.ignores = ignores;
        self
    }

    /// Without what scopes on the way to there say, or without all.
    #[must_use]
    pub const fn overrides(mut self, scope: Option<Key>, at: At) -> Self {
        self.overrides = Some(Override { scope, at });
        self
    }

    /// Whether everything is inherited.
    pub(super) const fn is_all(&self) -> bool {
        self.ignores.is_empty() && self.overrides.is_none()
    }

    const fn ignores_this(&self, dependency: &Dependency) -> bool {
        let mut i = 0;
        while i < self.ignores.len() {
            if self.ignores[i].is(dependency) {
                return true;
            }
            i += 1;
        }
        false
    }
}

impl Ignored {
    /// Whether it means this one.
    pub(crate) const fn is(&self, dependency: &Dependency) -> bool {
        let named = match (self.field, dependency.field) {
            (None, _) => true,
            (Some(field), Some(other)) => same(field, other),
            (Some(_), None) => false,
        };
        named && self.key.id() == dependency.key.id()
    }
}

impl Placements {
    /// Whether what is placed at `row` keeps out a dependency of the scope at `scope`, which is around it.
    pub(crate) const fn keeps_out(&self, row: u32, scope: u32, dependency: &Dependency) -> bool {
        let starts = &self.rows[row as usize].node.starts;
        !starts.is_all() && (starts.ignores_this(dependency) || self.cuts_off(row, scope))
    }

    /// Whether what is placed at `row` inherits nothing from the scope at `scope`, which is around it.
    pub(crate) const fn cuts_off(&self, row: u32, scope: u32) -> bool {
        match self.rows[row as usize].node.starts.overrides {
            None => false,
            Some(Override { scope: None, .. }) => true,
            Some(Override { scope: Some(key), .. }) => {
                let last = self.around(row, key);
                last != NONE && last <= scope
            }
        }
    }

    /// The nearest scope around `row` that has this key, or stands for what has.
    pub(crate) const fn around(&self, row: u32, key: Key) -> u32 {
        let mut scope = self.rows[row as usize].parent;
        while scope != NONE && !self.answers(scope, key.id()) {
            scope = self.rows[scope as usize].parent;
        }
        scope
    }

    /// What each machine starts after, by row.
    pub(crate) fn starts(&'static self) -> Vec<Vec<After>> {
        let mut starts: Vec<Vec<After>> = self.iter().map(Placement::own_starts).collect();
        // From the innermost scopes outwards: what is inside counts for what is needed further out.
        for scope in self.iter().rev().filter(|scope| scope.kind().is_container()) {
            let declared = scope.declared();
            let needed = self.needed(&declared, scope, &starts);
            for after in declared {
                let Some(dependency) = after.dependency else { continue };
                let mut row = scope.row + 1;
                while row < scope.row().end {
                    if self.keeps_out(row, scope.row, dependency) {
                        row = self.rows[row as usize].end;
                        continue;
                    }
                    let waits = !needed.contains(&row) || matches!(dependency.until, Until::Value(_));
                    if waits && matches!(self.rows[row as usize].node.kind, Kind::Machine) {
                        starts[row as usize].push(after.clone());
                    }
                    row += 1;
                }
            }
        }
        starts
    }

    /// The machines that these lead to, by dependencies of machines and of scopes inside.
    fn needed(&self, declared: &[After], scope: Placement, starts: &[Vec<After>]) -> HashSet<u32> {
        let mut needed = HashSet::new();
        let mut todo: Vec<&After> = declared.iter().collect();
        while let Some(after) = todo.pop() {
            for &target in &*after.machines {
                if needed.insert(target) {
                    let inside = scope.row + 1..scope.row().end;
                    let counts = |after: &&After| after.scope == target || inside.contains(&after.scope);
                    todo.extend(starts[target as usize].iter().filter(counts));
                }
            }
        }
        needed
    }
}

/// Something that a machine starts after.
#[derive(Clone, Debug)]
pub(crate) struct After {
    /// Who says so: the machine itself, or a scope around it.
    pub(crate) scope: u32,
    /// What is said; nothing for a machine that is wanted placed, or whose links are shared.
    pub(crate) dependency: Option<&'static Dependency>,
    /// The machines that are meant.
    pub(crate) machines: Arc<[u32]>,
}

impl Placement {
    /// The machines that must run before this one: those of its `#[depends_on]`, those that it wants placed, the one whose links it
    /// shares, and those of the scopes around it, as far as it inherits them. An enclave stands for all machines inside, except that wanting one that is
    /// around orders nothing. In pre-order, each once.
    #[must_use]
    pub fn starts_after(self) -> Vec<Self> {
        let inherits = self.scopes().skip(1).any(|scope| !scope.node().depends_on.is_empty());
        let after = match inherits {
            true => self.all.starts().swap_remove(self.index()),
            false => self.own_starts(),
        };
        let mut rows: Vec<u32> = after.iter().flat_map(|after| after.machines.iter().copied()).collect();
        rows.sort_unstable();
        rows.dedup();
        rows.into_iter().map(|row| Self { all: self.all, row }).collect()
    }

    /// What a machine says itself.
    fn own_starts(self) -> Vec<After> {
        if !matches!(self.kind(), Kind::Machine) {
            return Vec::new();
        }
        let wanted = self.needs().filter(|need| need.mode.is_placed()).filter_map(|need| {
            if need.mode == Mode::Generated && need.key == self.key() {
                // By its own model, which is made before it is asked for.
                return None;
            }
            let targets = self.resolve(need.key, need.field).ok()?;
            let ordered = !targets.iter().any(|target| target.is_around(self));
            ordered.then(|| After { scope: self.row, dependency: None, machines: machines_in(targets) })
        });
        let shared = self.shares_links().map(|machine| After {
            scope: self.row,
            dependency: None,
            machines: Arc::from([machine.row]),
        });
        self.declared().into_iter().chain(wanted).chain(shared).collect()
    }

    fn is_around(self, other: Self) -> bool {
        self.row < other.row && other.row < self.row().end
    }

    /// What its `#[depends_on]`s mean here.
    fn declared(self) -> Vec<After> {
        let of = |dependency: &'static Dependency| {
            let machines = match dependency.until {
                Until::Value(_) => Arc::default(),
                _ => {
                    let targets = self.resolve(dependency.key, dependency.field).ok()?;
                    // A scope does not depend on what is around it: the compiler says so.
                    if self.kind().is_container() && targets.iter().any(|target| target.is_around(self)) {
                        return None;
                    }
                    machines_in(targets)
                }
            };
            Some(After { scope: self.row, dependency: Some(dependency), machines })
        };
        self.node().depends_on.iter().filter_map(of).collect()
    }
}

/// An enclave stands for all machines inside.
fn machines_in(targets: Vec<Placement>) -> Arc<[u32]> {
    let is_machine = |placement: &Placement| matches!(placement.kind(), Kind::Machine);
    targets.into_iter().flat_map(Placement::subtree).filter(is_machine).map(|machine| machine.row).collect()
}
