//! Intent before and outcome after every change to the outside world.

use serde::{Deserialize, Serialize};

use super::record::Record;
use super::store::Store;
use crate::error::Error;

/// A line of the journal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Its number; later entries have higher ones.
    pub seq: u64,
    /// The run it belongs to.
    pub run: u64,
    /// What is acted on, as users write it: `machine:mirror.algebra`.
    pub thing: String,
    /// What is done: `create`, `start`, `stop`, `destroy` …
    pub action: String,
    /// Seconds since 1970, when it was begun.
    pub begun: u64,
    /// How it ended; `None` while it goes on, or when the process died in it.
    pub outcome: Option<Outcome>,
}

/// How a change ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// It was made.
    Done,
    /// It failed, with this chain of causes.
    Failed(String),
    /// The process died in it, and a later run has since finished something on the same thing.
    Superseded,
}

/// What a change that was made means to the record of what exists.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// Nothing.
    Nothing,
    /// The thing exists, and this is what is known of it.
    Put(Record),
    /// The thing does not exist any more. A machine's assignments go with it.
    Remove,
}

/// A change that is announced in the journal and not ended. When it is dropped, as when the process dies, the entry stays
/// unfinished, and the next run sees it in [`Snapshot::unfinished`](super::Snapshot::unfinished).
#[derive(Debug)]
#[must_use = "the journal needs the outcome"]
pub struct Intent {
    pub(super) store: Store,
    pub(super) entry: Entry,
}

impl Intent {
    /// The entry in the journal.
    #[must_use]
    pub fn entry(&self) -> &Entry {
        &self.entry
    }

    /// The change was made: the record and the outcome are written together, durably.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn done(self, change: Change) -> Result<(), Error> {
        self.store.finish(self.entry, Outcome::Done, change)
    }

    /// The change failed, and this is what exists now.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn failed(self, error: &(dyn std::error::Error + 'static), change: Change) -> Result<(), Error> {
        self.store.finish(self.entry, Outcome::Failed(crate::chain(error)), change)
    }
}
