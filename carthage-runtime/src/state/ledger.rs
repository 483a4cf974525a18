//! The store as a run sees it: changes are announced, made, and written down with what they mean.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::journal::{Change, Entry, Intent, Outcome};
use super::record::{Assignment, Record};
use super::snapshot::Snapshot;
use super::store::Store;
use crate::error::{Error, ErrorKind};

/// Where a run writes what it does. Cheap to clone. A command that only looks has one that refuses.
#[derive(Clone, Debug)]
pub(crate) struct Ledger(Option<Arc<Run>>);

#[derive(Debug)]
struct Run {
    number: u64,
    /// How many tasks have ended in it.
    steps: AtomicU64,
    /// Until the run ends: then the layout is free, whoever still holds on to a ledger.
    book: Mutex<Option<Arc<Book>>>,
}

#[derive(Debug)]
struct Book {
    store: Store,
    run: u64,
}

/// A change that is announced.
pub(crate) struct Announced(Intent);

impl Ledger {
    /// Of a command that only looks.
    pub(crate) fn closed() -> Self {
        Self(None)
    }

    /// Of a run that has the layout to itself; begins the run.
    pub(crate) async fn open(store: Store) -> Result<Self, Error> {
        let (store, run) = blocking(move || store.begin_run().map(|run| (store, run))).await?;
        let book = Mutex::new(Some(Arc::new(Book { store, run })));
        Ok(Self(Some(Arc::new(Run { number: run, steps: AtomicU64::new(0), book }))))
    }

    /// Ends the run. What is being written is finished, and nothing more can be.
    pub(crate) fn end(&self) {
        let run = self.0.as_ref();
        let book = run.and_then(|run| run.book.lock().unwrap_or_else(PoisonError::into_inner).take());
        let caught_up = book.as_ref().map_or(Ok(()), |book| book.store.end_run());
        // The entries stay open, which the next run can bear.
        caught_up.map_err(|error| tracing::warn!(%error, "the journal")).ok();
    }

    /// The number of this run.
    pub(crate) fn run(&self) -> u64 {
        self.0.as_ref().map_or(0, |run| run.number)
    }

    /// A number of a step of this run: each is more than those before.
    pub(crate) fn next_step(&self) -> u64 {
        self.0.as_ref().map_or(0, |run| run.steps.fetch_add(1, Ordering::SeqCst) + 1)
    }

    fn book(&self) -> Result<Arc<Book>, Error> {
        let run = self.0.as_ref().ok_or_else(|| {
            Error::new(ErrorKind::Usage, "this command only looks, and may change nothing")
                .hint("change machines in a deployment that was opened for changes")
        })?;
        let book = run.book.lock().unwrap_or_else(PoisonError::into_inner).clone();
        book.ok_or_else(|| {
            Error::new(ErrorKind::Usage, format!("run {} has ended, and may change nothing more", run.number))
                .hint("keep the deployment as long as its machines are used")
        })
    }

    /// As long as the answer lives, nobody else gets the layout, be it that the run ends.
    pub(crate) fn layout(&self) -> Result<impl Send + 'static, Error> {
        self.book()
    }

    /// Where the layout's state is.
    #[cfg(feature = "ssh")]
    pub(crate) fn dirs(&self) -> Result<super::Dirs, Error> {
        Ok(self.book()?.store.dirs().clone())
    }

    /// Announces a change, durably.
    pub(crate) async fn intend(&self, thing: &str, action: &'static str) -> Result<Announced, Error> {
        let book = self.book()?;
        Ok(Announced(book.store.intend_soon(book.run, thing, action).await?))
    }

    /// Closes what earlier runs left unfinished on things that this run has seen to.
    pub(crate) async fn supersede(
        &self,
        seen_to: impl Fn(&str) -> bool + Send + 'static,
    ) -> Result<(), Error> {
        let book = self.book()?;
        let run = book.run;
        book.store.together(move |store, transaction| store.close_earlier(transaction, run, &seen_to)).await
    }

    /// All that is known now.
    pub(crate) async fn view(&self) -> Result<Snapshot, Error> {
        let book = self.book()?;
        blocking(move || book.store.view()).await
    }

    /// What ended in runs after this one; `None` of a command that only looks.
    pub(crate) fn journal(&self, after: u64) -> Option<Result<Vec<Entry>, Error>> {
        self.0.as_ref().map(|_| self.book()?.store.journal(after))
    }

    /// Replaces what is known by the same under other names: these things were moved.
    pub(crate) async fn carry(&self, carried: Snapshot, things: Vec<String>) -> Result<(), Error> {
        let book = self.book()?;
        blocking(move || book.store.carry(book.run, &carried, &things)).await
    }

    /// Writes what was to be written with the next change.
    pub(crate) async fn catch_up(&self) -> Result<(), Error> {
        let book = self.book()?;
        blocking(move || book.store.catch_up()).await
    }

    pub(crate) async fn put_record(&self, record: Record) -> Result<(), Error> {
        let book = self.book()?;
        book.store.together(move |store, transaction| store.put_record_in(transaction, &record)).await
    }

    /// Forgets things, outside any announced change.
    pub(crate) async fn forget_records(&self, things: Vec<String>) -> Result<(), Error> {
        let book = self.book()?;
        blocking(move || things.iter().try_for_each(|thing| book.store.remove_record(thing))).await
    }

    pub(crate) async fn put_records(&self, records: Vec<Record>) -> Result<(), Error> {
        let book = self.book()?;
        blocking(move || book.store.put_records(&records)).await
    }

    pub(crate) async fn assign(
        &self,
        all: std::collections::BTreeMap<(String, String), Assignment>,
    ) -> Result<(), Error> {
        let book = self.book()?;
        blocking(move || book.store.assign(&all)).await
    }

    pub(crate) async fn release(&self, machine: &str, interface: &str) -> Result<(), Error> {
        let (book, machine, interface) = (self.book()?, machine.to_owned(), interface.to_owned());
        blocking(move || book.store.release(&machine, &interface)).await
    }

    pub(crate) async fn keep(&self, path: String, value: zeroize::Zeroizing<Vec<u8>>) -> Result<(), Error> {
        let book = self.book()?;
        book.store.together(move |store, transaction| store.keep_in(transaction, &path, &value)).await
    }

    pub(crate) async fn forget(&self) -> Result<(), Error> {
        let book = self.book()?;
        blocking(move || book.store.forget()).await
    }
}

impl Announced {
    /// Writes down how the change ended: what it means to the record if it was made, and the error if it failed.
    pub(crate) async fn settle<T: Send + 'static>(
        self,
        made: Result<T, Error>,
        change: impl FnOnce(&T) -> Change,
    ) -> Result<T, Error> {
        match made {
            Ok(value) => {
                let change = change(&value);
                self.ends(Outcome::Done, change).await?;
                Ok(value)
            }
            Err(error) => {
                let written = self.ends(Outcome::Failed(crate::chain(&error)), Change::Nothing).await;
                // The first error is what the user must see; the entry stays open, which the next run can bear.
                written.map_err(|written| tracing::warn!(%written, "the journal")).ok();
                Err(error)
            }
        }
    }
}

impl Announced {
    /// What failed and may have left something behind is not over: the next run finds the entry open, and looks.
    pub(crate) fn left<T>(self, failed: Result<T, Error>) -> Result<T, Error> {
        drop(self);
        failed
    }

    async fn ends(self, outcome: Outcome, change: Change) -> Result<(), Error> {
        let Intent { store, entry } = self.0;
        store.ends_soon(entry, outcome, change).await
    }

    /// Like [`settle`](Self::settle), of what means nothing to the record: that it was done is written with the next change, and waits
    /// for nothing. Until then it looks as if the process had died in it.
    pub(crate) async fn settle_later(self, made: Result<(), Error>) -> Result<(), Error> {
        match made {
            Ok(()) => self.0.done_later(),
            failed => self.settle(failed, |()| Change::Nothing).await,
        }
    }
}

/// Runs `work`, which waits for the disk, where waiting harms nobody.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    tokio::task::spawn_blocking(work).await.map_err(Error::host("a thread that writes the state has died"))?
}
