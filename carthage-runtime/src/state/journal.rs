//! Intent before and outcome after every change to the outside world.

use redb::{ReadableTable, WriteTransaction};
use serde::{Deserialize, Serialize};

use super::database::{JOURNAL, META, RECORDS, UNFINISHED, corrupt, guarded};
use super::lock::now;
use super::record::Record;
use super::snapshot::parse;
use super::store::Store;
use crate::error::Error;

/// How many runs the journal goes back.
const KEPT_RUNS: u64 = 20;

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

impl Store {
    /// Begins a run: its number is one more than the last one's.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn begin_run(&self) -> Result<u64, Error> {
        let path = &self.0.path;
        self.write(|transaction| {
            let last = guarded(path, || {
                let meta = transaction.open_table(META)?;
                Ok(meta.get("run")?.map(|last| last.value().to_vec()))
            })?;
            let last: u64 = parse(path, &last.ok_or_else(|| corrupt(path, "it says nothing of `run`"))?)?;
            let run = last + 1;
            self.put(transaction, META, "run", &run)?;
            guarded(path, || {
                let mut journal = transaction.open_table(JOURNAL)?;
                journal.retain(|_, entry| {
                    serde_json::from_slice::<Entry>(entry).is_ok_and(|entry| entry.run + KEPT_RUNS > run)
                })?;
                Ok(())
            })?;
            Ok(run)
        })
    }

    /// Announces a change to the outside world; call it before the change, and the intent's methods after it.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn intend(&self, run: u64, thing: &str, action: &str) -> Result<Intent, Error> {
        let path = &self.0.path;
        let entry = self.write(|transaction| {
            let seq = guarded(path, || {
                let unfinished = transaction.open_table(UNFINISHED)?;
                let journal = transaction.open_table(JOURNAL)?;
                let last =
                    |row: Option<(redb::AccessGuard<'_, u64>, _)>| row.map_or(0, |(seq, _)| seq.value());
                Ok(1 + last(unfinished.last()?).max(last(journal.last()?)))
            })?;
            let entry =
                Entry { seq, run, thing: thing.into(), action: action.into(), begun: now(), outcome: None };
            self.put(transaction, UNFINISHED, seq, &entry)?;
            Ok(entry)
        })?;
        Ok(Intent { store: self.clone(), entry })
    }

    /// Takes up a change that an earlier run left unfinished.
    pub fn resume(&self, entry: Entry) -> Intent {
        Intent { store: self.clone(), entry }
    }

    pub(super) fn finish(&self, mut entry: Entry, outcome: Outcome, change: Change) -> Result<(), Error> {
        self.write(|transaction| {
            guarded(&self.0.path, || Ok(transaction.open_table(UNFINISHED)?.remove(entry.seq).map(drop)?))?;
            self.close_earlier(transaction, entry.run, &|thing| thing == entry.thing)?;
            entry.outcome = Some(outcome);
            self.put(transaction, JOURNAL, entry.seq, &entry)?;
            match change {
                Change::Nothing => Ok(()),
                Change::Put(record) => self.put(transaction, RECORDS, record.thing().as_str(), &record),
                Change::Remove => self.remove_thing(transaction, &entry.thing),
            }
        })
    }

    /// Closes what runs before this one left unfinished on things that have been seen to since.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn supersede(&self, run: u64, seen_to: impl Fn(&str) -> bool) -> Result<(), Error> {
        self.write(|transaction| self.close_earlier(transaction, run, &seen_to))
    }

    fn close_earlier(
        &self,
        transaction: &WriteTransaction,
        run: u64,
        seen_to: &dyn Fn(&str) -> bool,
    ) -> Result<(), Error> {
        let path = &self.0.path;
        let rows = guarded(path, || {
            let rows = transaction.open_table(UNFINISHED)?;
            rows.iter()?.map(|row| Ok(row?.1.value().to_vec())).collect::<Result<Vec<_>, redb::Error>>()
        })?;
        for row in rows {
            let mut entry: Entry = parse(path, &row)?;
            if entry.run < run && seen_to(&entry.thing) {
                entry.outcome = Some(Outcome::Superseded);
                guarded(path, || Ok(transaction.open_table(UNFINISHED)?.remove(entry.seq).map(drop)?))?;
                self.put(transaction, JOURNAL, entry.seq, &entry)?;
            }
        }
        Ok(())
    }
}
