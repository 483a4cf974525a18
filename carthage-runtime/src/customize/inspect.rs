//! Setup tasks as they stand: what each did last, and whether it would run now.

use std::time::{Duration, SystemTime};

use serde::Serialize;

use crate::reason::{Reason, told};
use crate::step::Action;
use crate::task::{Last, after_1970};

/// A setup task as it stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Inspected {
    /// `task:mirror.algebra/site.index`
    pub thing: String,
    /// How it ended the last time that is known: `never`, `ran`, `failed`, `interrupted`, or `unreadable` if its stamp cannot be used.
    /// It may have been on an earlier machine of this name.
    pub last: &'static str,
    /// The run in which that was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run: Option<u64>,
    /// When it ran to its end, or since when it is done by what its check said, in seconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<u64>,
    /// What deploying would do with it now; nothing if it need not run.
    #[serde(flatten)]
    pub would: Option<Would>,
}

/// What deploying would do with a task.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Would {
    /// [`Action::Run`], or [`Action::Ask`] where it cannot be told yet.
    pub action: Action,
    /// Why.
    #[serde(flatten, with = "told")]
    pub why: Reason,
}

impl Inspected {
    pub(super) fn new(thing: &str, last: &Last, would: Option<(Action, Reason)>) -> Self {
        let (word, run, at) = match last {
            Last::Never => ("never", None, None),
            Last::Unreadable(_) => ("unreadable", None, None),
            Last::Begun(run, _) => ("interrupted", Some(*run), None),
            Last::Failed(run, _) => ("failed", Some(*run), None),
            Last::Ran(stamp) => ("ran", Some(stamp.run), Some(after_1970(stamp.time()).as_secs())),
        };
        let would = would.map(|(action, why)| Would { action, why });
        Self { thing: thing.to_owned(), last: word, run, at, would }
    }

    /// When it ran to its end, by the clock of the controller, or since when it is done by what its check said.
    #[must_use]
    pub fn time(&self) -> Option<SystemTime> {
        self.at.map(|at| SystemTime::UNIX_EPOCH + Duration::from_secs(at))
    }
}
