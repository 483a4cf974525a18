//! Intent before and outcome after every change to the outside world.

use std::sync::PoisonError;
use std::sync::atomic::Ordering;

use redb::{ReadableTable, WriteTransaction};
use serde::{Deserialize, Serialize};

use super::database::{JOURNAL, META, UNFINISHED, corrupt, guarded};
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
        let Self { store, entry } = self;
        store.write(|transaction| store.finish(transaction, entry, Outcome::Done, change))
    }

    /// The change was made, and means nothing to the record: the outcome is written with the next change to the store, at the latest
    /// when the store is closed. A process that dies before leaves the entry unfinished.
    pub fn done_later(mut self) {
        self.entry.outcome = Some(Outcome::Done);
        self.store.0.ended.lock().unwrap_or_else(PoisonError::into_inner).push(self.entry);
    }

    /// The change failed, and this is what exists now.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn failed(self, error: &(dyn std::error::Error + 'static), change: Change) -> Result<(), Error> {
        let (Self { store, entry }, outcome) = (self, Outcome::Failed(crate::chain(error)));
        store.write(|transaction| store.finish(transaction, entry, outcome, change))
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
        let entry = self.entry(run, thing, action);
        self.write(|transaction| self.announce(transaction, &entry))?;
        Ok(Intent { store: self.clone(), entry })
    }

    /// A new entry, not yet written.
    pub(super) fn entry(&self, run: u64, thing: &str, action: &str) -> Entry {
        let seq = 1 + self.0.last_entry.fetch_add(1, Ordering::SeqCst);
        Entry { seq, run, thing: thing.into(), action: action.into(), begun: now(), outcome: None }
    }

    pub(super) fn announce(&self, transaction: &WriteTransaction, entry: &Entry) -> Result<(), Error> {
        self.put(transaction, UNFINISHED, entry.seq, entry)
    }

    /// Takes up a change that an earlier run left unfinished.
    pub fn resume(&self, entry: Entry) -> Intent {
        Intent { store: self.clone(), entry }
    }

    /// Writes that an entry has ended, with what that means to the record.
    pub(super) fn finish(
        &self,
        transaction: &WriteTransaction,
        mut entry: Entry,
        outcome: Outcome,
        change: Change,
    ) -> Result<(), Error> {
        entry.outcome = Some(outcome);
        self.end(transaction, &entry)?;
        match change {
            Change::Nothing => Ok(()),
            Change::Put(record) => self.put_record_in(transaction, &record),
            Change::Remove => self.remove_thing(transaction, &entry.thing),
        }
    }

    /// Writes that an entry has ended.
    fn end(&self, transaction: &WriteTransaction, entry: &Entry) -> Result<(), Error> {
        guarded(&self.0.path, || Ok(transaction.open_table(UNFINISHED)?.remove(entry.seq).map(drop)?))?;
        self.close_earlier(transaction, entry.run, &|thing| thing == entry.thing)?;
        self.put(transaction, JOURNAL, entry.seq, entry)
    }

    /// Writes that all those entries have ended of which that was to be written later.
    pub(super) fn end_those(&self, transaction: &WriteTransaction) -> Result<(), Error> {
        let ended = std::mem::take(&mut *self.0.ended.lock().unwrap_or_else(PoisonError::into_inner));
        ended.iter().try_for_each(|entry| self.end(transaction, entry))
    }

    /// Writes what was to be written with the next change, if there is any.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn catch_up(&self) -> Result<(), Error> {
        if self.0.ended.lock().unwrap_or_else(PoisonError::into_inner).is_empty() {
            return Ok(());
        }
        self.write(|_| Ok(()))
    }

    /// Closes what runs before this one left unfinished on things that have been seen to since.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn supersede(&self, run: u64, seen_to: impl Fn(&str) -> bool) -> Result<(), Error> {
        self.write(|transaction| self.close_earlier(transaction, run, &seen_to))
    }

    pub(super) fn close_earlier(
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
