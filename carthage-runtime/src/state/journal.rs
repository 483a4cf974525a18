//! Intent before and outcome after every change to the outside world.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::PoisonError;
use std::sync::atomic::Ordering;

use redb::{ReadTransaction, ReadableDatabase, ReadableTable, WriteTransaction};
use serde::{Deserialize, Serialize};

use super::database::{JOURNAL, LAST_ENTRY, META, TAKEN_IN, UNFINISHED, corrupt, guarded};
use super::dirs::Dirs;
use super::entries;
use super::lock::now;
use super::record::Record;
use super::snapshot::{parse, without_outcome};
use super::store::{Inner, Store};
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
    #[serde(default, skip_serializing_if = "Option::is_none")]
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
        store.ends(entry, Outcome::Done, change)
    }

    /// The change was made, and means nothing to the record: the outcome is written with the next entry, at the latest when the run
    /// ends. A process that dies before leaves the entry unfinished.
    ///
    /// # Errors
    /// When the outcome cannot be written as JSON.
    pub fn done_later(mut self) -> Result<(), Error> {
        let Inner { entries, ended, .. } = &*self.store.0;
        if self.store.ends_in_file(&self.entry, &Change::Nothing) {
            return entries.end_later(self.entry.seq, &Outcome::Done);
        }
        self.entry.outcome = Some(Outcome::Done);
        ended.lock().unwrap_or_else(PoisonError::into_inner).push(self.entry);
        Ok(())
    }

    /// The change failed, and this is what exists now.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn failed(self, error: &(dyn std::error::Error + 'static), change: Change) -> Result<(), Error> {
        let (Self { store, entry }, outcome) = (self, Outcome::Failed(crate::chain(error)));
        store.ends(entry, outcome, change)
    }
}

impl Store {
    /// Begins a run: its number is one more than the last one's. What runs before it left unfinished is in the store from then on.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn begin_run(&self) -> Result<u64, Error> {
        let Inner { path, entries, earlier, .. } = &*self.0;
        self.stop()?;
        let (run, things) = self.write(|transaction| {
            let last = guarded(path, || {
                let meta = transaction.open_table(META)?;
                Ok(meta.get("run")?.map(|last| last.value().to_vec()))
            })?;
            let last: u64 = parse(path, &last.ok_or_else(|| corrupt(path, "it says nothing of `run`"))?)?;
            let run = last + 1;
            self.put(transaction, META, "run", &run)?;
            self.take_in(transaction, last)?;
            forget_before(path, transaction, (run + 1).saturating_sub(KEPT_RUNS))?;
            entries.tidy((run + 1).saturating_sub(KEPT_RUNS), run)?;
            let unfinished = guarded(path, || values(&transaction.open_table(UNFINISHED)?))?;
            let things = unfinished.iter().map(|entry| Ok(parse::<Entry>(path, entry)?.thing));
            Ok((run, things.collect::<Result<_, Error>>()?))
        })?;
        *earlier.lock().unwrap_or_else(PoisonError::into_inner) = things;
        entries.ended();
        entries.begun(run);
        Ok(run)
    }

    /// Ends the run: whoever reads the store from now on needs no file of the journal.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn end_run(&self) -> Result<(), Error> {
        if self.is_forgotten() {
            return Ok(());
        }
        self.stop()?;
        if self.0.entries.is_used() {
            let path = &self.0.path;
            let run = |meta: &[u8]| parse::<u64>(path, meta);
            self.write(|transaction| {
                let last = guarded(path, || {
                    Ok(transaction.open_table(META)?.get("run")?.map(|run| run.value().to_vec()))
                })?;
                self.take_in(transaction, run(&last.unwrap_or_default())?)
            })?;
        }
        self.0.entries.ended();
        Ok(())
    }

    /// Nothing more is announced in the journal's file, and what was is durable.
    fn stop(&self) -> Result<(), Error> {
        self.0.entries.stop();
        self.catch_up()
    }

    /// Takes what is open in the file of a run into the store. What has ended in the store is not open, whoever was told of it or not.
    fn take_in(&self, transaction: &WriteTransaction, run: u64) -> Result<(), Error> {
        let path = &self.0.path;
        let journal = guarded(path, || Ok(transaction.open_table(JOURNAL)?))?;
        let open = without_outcome(path, &journal, self.0.entries.open())?;
        drop(journal);
        for entry in open {
            self.put(transaction, UNFINISHED, entry.seq, &entry)?;
        }
        self.put(transaction, META, TAKEN_IN, &run)?;
        self.put(transaction, META, LAST_ENTRY, &self.0.last_entry.load(Ordering::SeqCst))
    }

    /// Announces a change to the outside world; call it before the change, and the intent's methods after it.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn intend(&self, run: u64, thing: &str, action: &str) -> Result<Intent, Error> {
        let entry = self.entry(run, thing, action);
        self.refuse_forgotten()?;
        if !self.now(|entries, tell| entries.announce(&entry, tell))? {
            self.write(|transaction| self.put(transaction, UNFINISHED, entry.seq, &entry))?;
        }
        Ok(Intent { store: self.clone(), entry })
    }

    /// Like [`intend`](Self::intend), without keeping the thread waiting.
    pub(super) async fn intend_soon(
        &self,
        run: u64,
        thing: &str,
        action: &'static str,
    ) -> Result<Intent, Error> {
        let entry = self.entry(run, thing, action);
        self.refuse_forgotten()?;
        if !self.soon(|entries, tell| entries.announce(&entry, tell)).await? {
            let entry = entry.clone();
            self.together(move |store, transaction| store.put(transaction, UNFINISHED, entry.seq, &entry))
                .await?;
        }
        Ok(Intent { store: self.clone(), entry })
    }

    /// A new entry, not yet written.
    pub(super) fn entry(&self, run: u64, thing: &str, action: &str) -> Entry {
        let seq = 1 + self.0.last_entry.fetch_add(1, Ordering::SeqCst);
        Entry { seq, run, thing: thing.into(), action: action.into(), begun: now(), outcome: None }
    }

    /// Takes up a change that an earlier run left unfinished.
    pub fn resume(&self, entry: Entry) -> Intent {
        Intent { store: self.clone(), entry }
    }

    /// Whether it is written in the journal's file that an entry has ended: if that is nobody else's business.
    pub(super) fn ends_in_file(&self, entry: &Entry, change: &Change) -> bool {
        let Inner { entries, earlier, .. } = &*self.0;
        let has_earlier = || earlier.lock().unwrap_or_else(PoisonError::into_inner).contains(&entry.thing);
        matches!(change, Change::Nothing) && entries.has(entry.seq) && !has_earlier()
    }

    /// Writes that an entry has ended, with what that means to the record.
    fn ends(&self, entry: Entry, outcome: Outcome, change: Change) -> Result<(), Error> {
        if self.ends_in_file(&entry, &change) {
            return self.now(|entries, tell| entries.end(entry.seq, &outcome, tell).map(|()| true)).map(drop);
        }
        let seq = entry.seq;
        self.write(|transaction| self.finish(transaction, entry, outcome, change))?;
        self.0.entries.forget(seq);
        Ok(())
    }

    /// Like [`Intent::done`] and [`Intent::failed`], without keeping the thread waiting.
    pub(super) async fn ends_soon(
        &self,
        entry: Entry,
        outcome: Outcome,
        change: Change,
    ) -> Result<(), Error> {
        if self.ends_in_file(&entry, &change) {
            return self
                .soon(|entries, tell| entries.end(entry.seq, &outcome, tell).map(|()| true))
                .await
                .map(drop);
        }
        let seq = entry.seq;
        self.together(move |store, transaction| store.finish(transaction, entry, outcome, change)).await?;
        self.0.entries.forget(seq);
        Ok(())
    }

    /// Writes that an entry has ended, with what that means to the record.
    fn finish(
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
        if self.0.earlier.lock().unwrap_or_else(PoisonError::into_inner).contains(&entry.thing) {
            self.close_earlier(transaction, entry.run, &|thing| thing == entry.thing)?;
        }
        self.put(transaction, JOURNAL, entry.seq, entry)
    }

    /// Writes that these entries have ended, which was to be written later.
    pub(super) fn end_those(&self, transaction: &WriteTransaction, ended: &[Entry]) -> Result<(), Error> {
        ended.iter().try_for_each(|entry| self.end(transaction, entry))
    }

    /// The entries of which it is still to be written that they have ended.
    pub(super) fn ended(&self) -> Vec<Entry> {
        self.0.ended.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// That these have ended is durable. Until then they are to be written, whoever has begun to: to write them twice is no harm.
    pub(super) fn are_written(&self, ended: &[Entry]) {
        let written: BTreeSet<_> = ended.iter().map(|entry| entry.seq).collect();
        let mut waiting = self.0.ended.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.retain(|entry| !written.contains(&entry.seq));
        drop(waiting);
        written.into_iter().for_each(|seq| self.0.entries.forget(seq));
    }

    /// Writes what was to be written later, if there is any; also what somebody else has begun to write, for that may fail.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn catch_up(&self) -> Result<(), Error> {
        self.now(|entries, tell| {
            entries.catch_up(tell);
            Ok(true)
        })?;
        if self.ended().is_empty() {
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
        let rows = guarded(path, || values(&transaction.open_table(UNFINISHED)?))?;
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

    /// Changes that ended in runs after this one, in their order; as far back as the journal goes.
    ///
    /// # Errors
    /// When the store or the journal cannot be read.
    pub fn journal(&self, after: u64) -> Result<Vec<Entry>, Error> {
        let Inner { path, db, dirs, .. } = &*self.0;
        since(path, &guarded(path, || Ok(db.begin_read()?))?, dirs, after)
    }
}

/// All values of a table.
fn values(table: &impl ReadableTable<u64, &'static [u8]>) -> Result<Vec<Vec<u8>>, redb::Error> {
    table.iter()?.map(|row| Ok(row?.1.value().to_vec())).collect()
}

/// Drops what ended in runs before this one: the entries with the lowest numbers.
fn forget_before(path: &Path, transaction: &WriteTransaction, run: u64) -> Result<(), Error> {
    guarded(path, || {
        let mut journal = transaction.open_table(JOURNAL)?;
        loop {
            let Some((seq, entry)) =
                journal.first()?.map(|(seq, entry)| (seq.value(), entry.value().to_vec()))
            else {
                return Ok(());
            };
            if serde_json::from_slice::<Entry>(&entry).is_ok_and(|entry| entry.run >= run) {
                return Ok(());
            }
            journal.remove(seq)?;
        }
    })
}

/// Changes that ended in runs after this one: those of which an outcome is in the store, and those of which it is in a file.
pub(super) fn since(
    path: &Path,
    transaction: &ReadTransaction,
    dirs: &Dirs,
    after: u64,
) -> Result<Vec<Entry>, Error> {
    let mut entries = entries::read_after(dirs, after)?;
    let table = guarded(path, || Ok(transaction.open_table(JOURNAL)?))?;
    // Later entries have higher numbers, and so have those of later runs.
    for row in guarded(path, || Ok(table.iter()?.rev()))? {
        let entry: Entry = parse(path, &guarded(path, || Ok(row?.1.value().to_vec()))?)?;
        if entry.run <= after {
            break;
        }
        entries.insert(entry.seq, entry);
    }
    Ok(entries.into_values().filter(|entry| entry.outcome.is_some()).collect())
}
