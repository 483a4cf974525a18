//! What a command would do, and what it did.

use std::collections::HashMap;
use std::time::Duration;

use serde::Serialize;

use crate::event::{Event, milliseconds};
use crate::reason::Reason;
use crate::step::{Action, Failure, Skip, Step};

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

/// What was done. It is made of [`Event`]s alone, so that whoever listens to them, or reads the log of a run, can make it as well.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Report {
    /// The number of the run.
    pub run: u64,
    /// What was done, in its order.
    pub done: Vec<Step>,
    /// What failed.
    pub failed: Vec<Failure>,
    /// What was not tried, because of something that failed.
    pub skipped: Vec<Skip>,
    /// What was not begun, or not done to its end, because the run was interrupted.
    pub interrupted: Vec<String>,
    /// How many things needed nothing.
    pub unchanged: usize,
    /// How long it took.
    #[serde(rename = "took_ms", with = "milliseconds")]
    pub took: Duration,
    /// What has begun and not ended.
    #[serde(skip)]
    pub(crate) begun: HashMap<String, (Action, Reason)>,
}

impl Report {
    /// Takes in what has happened.
    pub fn add(&mut self, event: &Event) {
        match event {
            Event::Begun { by_hand: true, .. }
            | Event::Done { by_hand: true, .. }
            | Event::Failed { by_hand: true, .. }
            | Event::Skipped { by_hand: true, .. } => {}
            Event::Started { run, .. } => self.run = *run,
            Event::Begun { thing, action, why, .. } => {
                self.begun.insert(thing.clone(), (*action, why.clone()));
            }
            Event::Done { thing, action, .. } => {
                let begun = self.begun.remove_entry(thing).filter(|(_, (begun, _))| begun == action);
                // Of the log of a run whose beginning is lost.
                let unknown = || (thing.clone(), (*action, Reason::Said { text: String::new() }));
                let (thing, (action, why)) = begun.unwrap_or_else(unknown);
                self.done.push(Step::new(thing, action, why));
            }
            Event::Failed { thing, causes, hint, .. } => {
                self.begun.remove(thing);
                let (thing, causes, hint) = (thing.clone(), causes.clone(), hint.clone());
                self.failed.push(Failure { thing, causes, hint });
            }
            Event::Skipped { thing, why, by_itself, .. } => {
                self.begun.remove(thing);
                if !by_itself {
                    self.skipped.push(Skip { thing: thing.clone(), why: why.clone() });
                }
            }
            Event::Interrupted { thing, .. } => {
                self.begun.remove(thing);
                self.interrupted.push(thing.clone());
            }
            Event::Ended { unchanged, took } => {
                self.unchanged += unchanged;
                self.took += *took;
            }
            Event::Output { .. }
            | Event::Progress { .. }
            | Event::Waiting { .. }
            | Event::Waited { .. }
            | Event::Warning { .. } => {}
        }
    }

    /// Whether everything that was to be done is done.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.failed.is_empty() && self.skipped.is_empty() && self.interrupted.is_empty()
    }
}
