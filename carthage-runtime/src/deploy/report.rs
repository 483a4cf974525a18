//! What a command would do, and what it did.

use std::time::Duration;

use serde::Serialize;

use crate::step::{Failure, Skip, Step};

/// What would be done, in an order in which it can be done.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Plan {
    /// The steps.
    pub steps: Vec<Step>,
    /// How many things need nothing.
    pub unchanged: usize,
    /// What the user should know before.
    pub notes: Vec<String>,
    /// What is no longer in the layout, and stays until it is removed.
    pub orphans: Vec<String>,
    /// What was to be done and is not, because something else needs it. What a policy keeps is not among it.
    pub stays: Vec<Skip>,
}

impl Plan {
    /// Whether there is nothing to do.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }
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
