//! What a command would do, and what it did.

use std::time::Duration;

use serde::Serialize;

use super::decide::Action;

/// What would be done, in an order in which it can be done.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Plan {
    /// The steps.
    pub steps: Vec<Step>,
    /// How many things need nothing.
    pub unchanged: usize,
    /// What the user should know before.
    pub notes: Vec<String>,
}

impl Plan {
    /// Whether there is nothing to do.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
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
}

/// What was done.
#[derive(Debug, Default, Serialize)]
pub struct Report {
    /// The number of the run.
    pub run: u64,
    /// What was done, in its order.
    pub done: Vec<Step>,
    /// What failed.
    pub failed: Vec<Failure>,
    /// What was not tried, because of something that failed.
    pub skipped: Vec<Skip>,
    /// What was not begun, because the run was interrupted.
    pub interrupted: Vec<String>,
    /// How many things needed nothing.
    pub unchanged: usize,
    /// How long it took.
    #[serde(rename = "took_ms", serialize_with = "crate::event::milliseconds")]
    pub took: Duration,
}

impl Report {
    /// Whether everything that was to be done is done.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.failed.is_empty() && self.skipped.is_empty() && self.interrupted.is_empty()
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
#[derive(Debug, Serialize)]
pub struct Skip {
    /// What.
    pub thing: String,
    /// Why not.
    pub why: String,
}
