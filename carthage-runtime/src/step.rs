//! One step of what is planned or done: the words that tasks, deployment and the command line share.

use std::collections::BTreeSet;

use serde::Serialize;

use crate::error::{Error, ErrorKind};

/// What is done to a thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Action {
    /// What is on record of it by its old name becomes that of its new one.
    Move,
    /// It is made, and started if it is a machine.
    Create,
    /// It is removed and made again.
    Recreate,
    /// What is there already, and is not made from here, is taken over.
    Adopt,
    /// It is started.
    Start,
    /// It is stopped and started again.
    Restart,
    /// It is changed while it runs.
    Update,
    /// A setup task's body runs.
    Run,
    /// It cannot be told yet what must be done: a setup task is asked once its machine runs, a machine when it answers.
    Ask,
    /// It is stopped.
    Stop,
    /// It is stopped and removed with everything that belongs to it.
    Destroy,
    /// It is given back: it stays as it is, without what was kept there for the layout.
    Retain,
}

impl Action {
    /// Whether a machine is started by it.
    pub(crate) const fn starts(self) -> bool {
        matches!(self, Self::Create | Self::Recreate | Self::Adopt | Self::Start | Self::Restart)
    }

    /// The word for it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Move => "move",
            Self::Create => "create",
            Self::Recreate => "recreate",
            Self::Adopt => "adopt",
            Self::Start => "start",
            Self::Restart => "restart",
            Self::Update => "update",
            Self::Run => "run",
            Self::Ask => "ask",
            Self::Stop => "stop",
            Self::Destroy => "destroy",
            Self::Retain => "retain",
        }
    }
}

/// One step of a plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Step {
    /// What it acts on: `machine:mirror.algebra`.
    pub thing: String,
    /// What is done.
    pub action: Action,
    /// Why.
    pub why: String,
    /// What is worth knowing of the thing: its addresses, its description.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub details: Vec<String>,
    /// What its building blocks change, if it has any.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<Change>,
}

/// What a building block changes, or would change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Change {
    /// In words: `changes /etc/motd`.
    pub what: String,
    /// How the text of a file changes: the hunks of a unified diff.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub diff: Option<String>,
}

impl Change {
    pub(crate) fn new(what: impl Into<String>) -> Self {
        Self { what: what.into(), diff: None }
    }
}

/// What a run may do that keeps to a plan: things, and the words for what is done to them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Planned(BTreeSet<(String, String)>);

impl FromIterator<(String, String)> for Planned {
    fn from_iter<T: IntoIterator<Item = (String, String)>>(steps: T) -> Self {
        Self(steps.into_iter().collect())
    }
}

impl Planned {
    /// An error if this is not in the plan. What could not be told when it was made may turn out to be anything.
    pub(crate) fn allows(&self, thing: &str, action: &str, why: &str) -> Result<(), Error> {
        let holds = |action: &str| self.0.contains(&(thing.to_owned(), action.to_owned()));
        if holds(action) || holds(Action::Ask.word()) {
            return Ok(());
        }
        let what =
            format!("`{thing}` would need `{action}` now, which is not in the plan, and was left as it is");
        Err(Error::new(ErrorKind::Outdated, what).because(why).hint("plan again, and look at what it says"))
    }
}

/// Something that failed.
#[derive(Debug, Serialize)]
pub struct Failure {
    /// What: `task:mirror.algebra/site.serve`.
    pub thing: String,
    /// The causes, the outermost first.
    pub causes: Vec<String>,
    /// What the user can do.
    pub hint: Option<String>,
}

impl Failure {
    /// Of an error.
    #[must_use]
    pub fn of(thing: String, error: &crate::Error) -> Self {
        let first: &(dyn std::error::Error + 'static) = error;
        let causes: Vec<_> = std::iter::successors(Some(first), |error| error.source()).collect();
        let hint = causes.iter().find_map(|error| error.downcast_ref::<crate::Error>()?.next_step());
        Self {
            thing,
            hint: hint.map(str::to_owned),
            causes: causes.iter().map(ToString::to_string).collect(),
        }
    }
}

/// Something that was not tried.
#[derive(Clone, Debug, Serialize)]
pub struct Skip {
    /// What.
    pub thing: String,
    /// Why not.
    pub why: String,
}
