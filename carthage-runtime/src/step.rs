//! One step of what is planned or done: the words that tasks, deployment and the command line share.

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::error::{Error, ErrorKind};
use crate::reason::{Reason, told};

/// What is done to a thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
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
    /// Whatever it needs: told where something is wrong before it is known what that is.
    Deploy,
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
            Self::Deploy => "deploy",
        }
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

/// One step of a plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// What it acts on: `machine:mirror.algebra`.
    pub thing: String,
    /// What is done.
    pub action: Action,
    /// Why.
    #[serde(flatten, with = "told")]
    pub why: Reason,
    /// What is worth knowing of the thing: its addresses, its description.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub details: Vec<String>,
    /// What its building blocks change, if it has any.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<Change>,
}

impl Step {
    pub(crate) fn new(thing: impl Into<String>, action: Action, why: Reason) -> Self {
        Self { thing: thing.into(), action, why, details: Vec::new(), changes: Vec::new() }
    }
}

/// What a building block changes, or would change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// In words: `changes /etc/motd`.
    pub what: String,
    /// How the text of a file changes: the hunks of a unified diff.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub diff: Option<String>,
}

impl Change {
    pub(crate) fn new(what: impl Into<String>) -> Self {
        Self { what: what.into(), diff: None }
    }
}

/// What a run may do that keeps to a plan: things, and what is done to them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Planned(BTreeSet<(String, Action)>);

impl FromIterator<(String, Action)> for Planned {
    fn from_iter<T: IntoIterator<Item = (String, Action)>>(steps: T) -> Self {
        Self(steps.into_iter().collect())
    }
}

impl Planned {
    /// An error if this is not in the plan. What could not be told when it was made may turn out to be anything.
    pub(crate) fn allows(&self, thing: &str, action: Action, why: &Reason) -> Result<(), Error> {
        let holds = |action: Action| self.0.contains(&(thing.to_owned(), action));
        if holds(action) || holds(Action::Ask) {
            return Ok(());
        }
        let what =
            format!("`{thing}` would need `{action}` now, which is not in the plan, and was left as it is");
        Err(Error::new(ErrorKind::Outdated, what)
            .because(why.to_string())
            .hint("plan again, and look at what it says"))
    }
}

/// Something that failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
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

/// For `#[serde(flatten, with = "…")]`: the causes of a failure, one by one and in one text.
pub(crate) mod causes {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    #[derive(Serialize)]
    struct Written<'a> {
        error: String,
        causes: &'a [String],
    }

    #[derive(Deserialize)]
    struct Read {
        error: String,
        #[serde(default)]
        causes: Vec<String>,
    }

    pub(crate) fn serialize<S: Serializer>(causes: &[String], to: S) -> Result<S::Ok, S::Error> {
        Written { error: causes.join(": "), causes }.serialize(to)
    }

    /// What an earlier version wrote has the text only.
    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<String>, D::Error> {
        let Read { error, causes } = Read::deserialize(from)?;
        Ok(if causes.is_empty() { vec![error] } else { causes })
    }
}

/// Something that was not tried.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Skip {
    /// What.
    pub thing: String,
    /// Why not.
    #[serde(flatten, with = "told")]
    pub why: Reason,
}
