//! What a node says of values: which are needed, provided and hidden.

use super::key::{At, Key};

/// A value that something needs.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Need {
    /// What.
    pub key: Key,
    /// How it is wanted.
    pub mode: Mode,
    /// The field's or parameter's name.
    pub name: &'static str,
    /// Where it is asked for.
    pub at: At,
    /// Of something placed: the field that holds it, where there are several.
    pub field: Option<&'static str>,
}

impl Need {
    /// Of `key`, by a field or parameter called `name`.
    #[must_use]
    pub const fn new(key: Key, mode: Mode, name: &'static str, at: At) -> Self {
        Self { key, mode, name, at, field: None }
    }

    /// The one that this field holds.
    #[must_use]
    pub const fn field(mut self, field: &'static str) -> Self {
        self.field = Some(field);
        self
    }
}

/// How a value is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Mode {
    /// It must be there: `Arc<T>`, `&T`.
    Required,
    /// It may be absent: `Option<Arc<T>>`, or there is a default.
    Optional,
    /// It must be there and is made when asked for: `Deferred<T>`, `Quoted<T>`.
    Deferred,
    /// However many there are, made when asked for: `All<T>`.
    Every,
    /// A placed machine, enclave or network: `Placed<T>`. The machine that asks starts after it.
    Placed,
    /// The same, of a member that may be absent: `Option<Placed<T>>`.
    PlacedIfThere,
    /// The same, of as many as there are, in an array or a fleet: `Vec<Placed<T>>`.
    AllPlaced,
    /// What the tasks of a model generate: `Generated<T>`. The model is the asker's own, around it, or one that it starts after.
    Generated,
    /// `depend_on = T`: the machine, or all in the enclave, runs while the task does.
    Running,
    /// `depend_on_to_judge = T`: the same, and also while the task's checks are asked.
    RunningToJudge,
    /// `after = T.site.index`: when this task of the machine ran later, the one that says so runs as well.
    After {
        /// The field of the customization, behind those of roles.
        customization: &'static str,
        /// The task's name.
        task: &'static str,
    },
}

impl Mode {
    /// Whether it is something placed, and no value.
    pub(crate) const fn is_placed(self) -> bool {
        matches!(self, Self::Placed | Self::PlacedIfThere | Self::AllPlaced | Self::Generated)
            || self.is_of_task()
    }

    /// Whether a task depends on a machine, without being given anything of it.
    pub(crate) const fn is_of_task(self) -> bool {
        matches!(self, Self::Running | Self::RunningToJudge | Self::After { .. })
    }

    /// Whether what becomes of a task hangs on what becomes of the machine.
    pub(crate) const fn looks_elsewhere(self) -> bool {
        matches!(self, Self::RunningToJudge | Self::After { .. })
    }
}

/// A `#[provide]` field.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Provide {
    /// What.
    pub key: Key,
    /// Whether it is made once and kept in the state directory.
    pub persist: bool,
    /// Whether each scope that asks has one of its own.
    pub each: bool,
    /// Fields that lead to the scope whose value it is; empty if it is made here.
    pub from: &'static [&'static str],
    /// Sibling fields that its expression mentions.
    pub uses: &'static [&'static str],
    /// Whether an expression of a sibling that provides nothing mentions it.
    pub mentioned: bool,
    /// What its `#[injectable] impl` needs, where there is no expression.
    pub needs: &'static [Need],
}

impl Provide {
    /// Of `key`.
    #[must_use]
    pub const fn new(key: Key) -> Self {
        Self { key, persist: false, each: false, from: &[], uses: &[], mentioned: false, needs: &[] }
    }

    /// Made once and kept in the state directory.
    #[must_use]
    pub const fn persist(mut self) -> Self {
        self.persist = true;
        self
    }

    /// Each scope that asks has its own.
    #[must_use]
    pub const fn each(mut self) -> Self {
        self.each = true;
        self
    }

    /// The value of the scope that these fields lead to.
    #[must_use]
    pub const fn from(mut self, from: &'static [&'static str]) -> Self {
        self.from = from;
        self
    }

    /// Made of these siblings.
    #[must_use]
    pub const fn uses(mut self, uses: &'static [&'static str]) -> Self {
        self.uses = uses;
        self
    }

    /// Mentioned by the expression of a sibling, such as a customization's.
    #[must_use]
    pub const fn mentioned(mut self) -> Self {
        self.mentioned = true;
        self
    }

    /// Made of these values.
    #[must_use]
    pub const fn needs(mut self, needs: &'static [Need]) -> Self {
        self.needs = needs;
        self
    }
}

/// An entry of `#[mask]`: what scopes around provide and that is hidden.
#[derive(Clone, Copy, Debug)]
pub struct Mask {
    /// What.
    pub key: Key,
    /// Where it is written.
    pub at: At,
}
