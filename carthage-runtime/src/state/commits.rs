//! Changes that come at the same time become durable together: one commit, and one wait for the disk, for all of them.
//!
//! While one commit is written, those who come line up; whoever writes takes all of them into the next one. Each who comes lets those
//! come first who can go on at this moment, and then has what is in line written, unless somebody has: so nobody depends on how another's
//! future is polled, and all who come at one moment wait for one commit. If one of them fails, none of that transaction happened, and
//! each is told.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError, mpsc};

use redb::{Database, WriteTransaction};
use tokio::sync::oneshot;

use super::database::{corrupt, guarded};
use super::entries::{Entries, Tell, Told};
use super::store::Store;
use crate::crash::crash_point;
use crate::error::Error;

/// Who waits for the store to be written.
#[derive(Default)]
pub(super) struct Commits(Mutex<Line>);

#[derive(Default)]
struct Line {
    changes: Vec<(Body, Tell)>,
    /// Whether somebody is writing, who takes them in.
    is_written: bool,
}

impl Line {
    /// Whether anything is in line, and nobody writes it yet.
    fn begins(&mut self) -> bool {
        !self.changes.is_empty() && !std::mem::replace(&mut self.is_written, true)
    }
}

type Body = Box<dyn FnOnce(&Store, &WriteTransaction) -> Result<(), Error> + Send>;

/// Makes one change, durably.
pub(super) fn write<T>(
    db: &Database,
    path: &Path,
    body: impl FnOnce(&WriteTransaction) -> Result<T, Error>,
) -> Result<T, Error> {
    let transaction = guarded(path, || Ok(db.begin_write()?))?;
    // Dropped, it has never happened.
    let changed = catch_unwind(AssertUnwindSafe(|| body(&transaction)));
    let answer = changed.unwrap_or_else(|_| Err(corrupt(path, "what is in it makes no sense")))?;
    crash_point("state-uncommitted");
    guarded(path, || Ok(transaction.commit()?))?;
    crash_point("state-committed");
    Ok(answer)
}

impl Commits {
    fn line(&self) -> MutexGuard<'_, Line> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Store {
    /// Makes one change, durably; together with those of others who come at the same time. The thread is not kept waiting.
    pub(super) async fn together(
        &self,
        body: impl FnOnce(&Store, &WriteTransaction) -> Result<(), Error> + Send + 'static,
    ) -> Result<(), Error> {
        let (tell, told) = oneshot::channel();
        let tell: Tell = Box::new(move |answer| drop(tell.send(answer)));
        self.0.commits.line().changes.push((Box::new(body), tell));
        self.waits(Kind::Changes, told).await
    }

    /// Adds something to the journal's file and waits until it is durable; answers whether it was added.
    pub(super) fn now(&self, add: impl FnOnce(&Entries, Tell) -> Result<bool, Error>) -> Result<bool, Error> {
        let (tell, told) = mpsc::sync_channel(1);
        if !add(&self.0.entries, Box::new(move |answer| drop(tell.send(answer))))? {
            return Ok(false);
        }
        self.clone().write_all(Kind::Entries);
        told.recv().map_err(Error::host("a thread that writes the journal has died"))?.map(|()| true)
    }

    /// Like [`now`](Self::now), without keeping the thread waiting.
    pub(super) async fn soon(
        &self,
        add: impl FnOnce(&Entries, Tell) -> Result<bool, Error>,
    ) -> Result<bool, Error> {
        let (tell, told) = oneshot::channel();
        if !add(&self.0.entries, Box::new(move |answer| drop(tell.send(answer))))? {
            return Ok(false);
        }
        self.waits(Kind::Entries, told).await.map(|()| true)
    }

    /// Lets those come who can at this moment, then has what is in line written, unless somebody does already, and waits for that. It is
    /// written also if whoever waits gives up.
    async fn waits(&self, kind: Kind, mut told: oneshot::Receiver<Result<(), Error>>) -> Result<(), Error> {
        let mut asks = Asks { store: self, kind, is_told: false };
        let told = tokio::select! {
            biased;
            told = &mut told => {
                asks.is_told = true;
                told
            }
            () = tokio::task::yield_now() => {
                drop(asks);
                told.await
            }
        };
        told.map_err(Error::host("a thread that writes the state has died"))?
    }

    /// Writes what is in line, once; answers itself if somebody has come since.
    fn write_once(self, kind: Kind) -> Option<Self> {
        let (told, is_over) = match kind {
            Kind::Changes => self.write_changes(),
            Kind::Entries => self.0.entries.write(),
        };
        // Who is told may want the layout to be free.
        let rest = (!is_over).then_some(self);
        told.into_iter().for_each(|(tell, answer)| tell(answer));
        rest
    }

    /// Writes until nobody comes any more.
    fn write_all(self, kind: Kind) {
        let mut rest = Some(self);
        while let Some(store) = rest {
            rest = store.write_once(kind);
        }
    }

    fn write_changes(&self) -> (Vec<Told>, bool) {
        let (bodies, tell): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.0.commits.line().changes).into_iter().unzip();
        let mut at = 0;
        let written = self.write(|transaction| {
            bodies.into_iter().enumerate().try_for_each(|(number, body)| {
                at = number;
                body(self, transaction)
            })
        });
        let answer = || written.as_ref().map_or_else(|error| Err(not_written(error)), |()| Ok(()));
        let mut told: Vec<_> = tell.into_iter().map(|tell| (tell, answer())).collect();
        if let (true, Some((_, failed))) = (written.is_err(), told.get_mut(at)) {
            *failed = written;
        }
        let mut line = self.0.commits.line();
        line.is_written = !line.changes.is_empty();
        (told, !line.is_written)
    }
}

/// What is written.
#[derive(Clone, Copy)]
enum Kind {
    /// Changes of the store.
    Changes,
    /// Lines of the journal.
    Entries,
}

/// Somebody has come: what is in line is written when this goes.
struct Asks<'a> {
    store: &'a Store,
    kind: Kind,
    /// Whether it was, by somebody else.
    is_told: bool,
}

impl Asks<'_> {
    /// Whether anything is in line, and nobody else writes it.
    fn begins(&self) -> bool {
        match self.kind {
            Kind::Changes => self.store.0.commits.line().begins(),
            Kind::Entries => self.store.0.entries.begins(),
        }
    }

    /// Whether to write it takes no longer than to have another thread do so.
    fn is_quick(&self) -> bool {
        match self.kind {
            Kind::Changes => false,
            Kind::Entries => self.store.0.entries.are_quick(),
        }
    }
}

impl Drop for Asks<'_> {
    fn drop(&mut self) {
        if self.is_told || !self.begins() {
            return;
        }
        let store = self.store.clone();
        let rest = if self.is_quick() { store.write_once(self.kind) } else { Some(store) };
        let Some(store) = rest else { return };
        let writes = Writes(Some((store, self.kind)));
        match tokio::runtime::Handle::try_current() {
            Ok(runtime) => drop(runtime.spawn_blocking(move || drop(writes))),
            Err(_) => drop(writes),
        }
    }
}

/// Who writes: when this goes, be it because the runtime ends.
struct Writes(Option<(Store, Kind)>);

impl Drop for Writes {
    fn drop(&mut self) {
        if let Some((store, kind)) = self.0.take() {
            store.write_all(kind);
        }
    }
}

/// What those are told whose change was in one transaction with one that failed.
pub(super) fn not_written(error: &Error) -> Error {
    Error::new(error.kind(), "a change that was to be written with others was not")
        .because(crate::chain(error))
        .hint("deploy again")
}

impl fmt::Debug for Commits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Commits").field("waiting", &self.line().changes.len()).finish()
    }
}

#[cfg(test)]
mod tests {
    use futures_util::StreamExt;
    use futures_util::future::join_all;
    use futures_util::stream::FuturesUnordered;

    use super::*;
    use crate::error::ErrorKind;
    use crate::state::database::VALUES;
    use crate::state::storage::Disk;
    use crate::state::{Dirs, Snapshot};

    fn store() -> (tempfile::TempDir, std::sync::Arc<Disk>, Store) {
        let base = tempfile::tempdir().unwrap();
        let disk = std::sync::Arc::new(Disk::default());
        let dirs = Dirs::find("lab", Some(base.path())).unwrap().on(disk.clone());
        (base, disk, Store::open(&dirs, "deploy").unwrap())
    }

    fn keep(store: &Store, number: u64) -> impl Future<Output = Result<(), Error>> + use<'_> {
        store.together(move |store, transaction| {
            guarded(&store.0.path, || {
                let key = format!("{number:04}");
                Ok(transaction.open_table(VALUES)?.insert(&*key, &[0u8][..]).map(drop)?)
            })
        })
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn what_comes_at_once_is_committed_together_and_all_of_it() {
        let (_base, disk, store) = store();
        let before = disk.syncs();
        keep(&store, 0).await.unwrap();
        let alone = disk.syncs() - before;
        assert!(alone > 0);
        let written = join_all((1..800).map(|number| keep(&store, number))).await;
        assert!(written.iter().all(Result::is_ok));
        assert!(disk.syncs() - before < 10 * alone, "{} syncs, and one alone needs {alone}", disk.syncs());
        assert_eq!(store.view().unwrap().values.len(), 800);
    }

    #[tokio::test]
    async fn those_who_come_at_one_moment_are_in_one_commit_and_nobody_depends_on_the_first() {
        let (_base, disk, store) = store();
        let before = disk.syncs();
        keep(&store, 0).await.unwrap();
        let alone = disk.syncs() - before;
        join_all((1..9).map(|number| keep(&store, number))).await;
        assert_eq!(disk.syncs() - before, 2 * alone);
        // The first gives up before anything is written.
        let mut first = Box::pin(keep(&store, 9));
        assert!(futures_util::poll!(&mut first).is_pending());
        let (second, ()) = tokio::join!(keep(&store, 10), async { drop(first) });
        second.unwrap();
        assert_eq!(store.view().unwrap().values.len(), 11);

        let run = store.begin_run().unwrap();
        let mut first = Box::pin(store.intend_soon(run, "machine:a", "start"));
        assert!(futures_util::poll!(&mut first).is_pending());
        let (second, ()) = tokio::join!(store.intend_soon(run, "machine:b", "start"), async { drop(first) });
        drop(second.unwrap());
        assert_eq!(store.view().unwrap().unfinished.len(), 2);
        let before = disk.syncs();
        join_all((0..8).map(|_| store.intend_soon(run, "task:a/t", "run"))).await;
        assert_eq!(disk.syncs() - before, 1);
        // One after the other, and each together with the others, whoever writes.
        for quick in [0, u64::MAX] {
            store.0.entries.quick_is(quick);
            let before = disk.syncs();
            let machine = async || {
                for _ in 0..10 {
                    drop(store.intend_soon(run, "task:a/t", "run").await.unwrap());
                }
            };
            FuturesUnordered::from_iter((0..8).map(|_| machine())).collect::<Vec<_>>().await;
            let syncs = disk.syncs() - before;
            assert!(if quick == 0 { syncs <= 40 } else { syncs == 10 }, "{syncs} when {quick} is quick");
        }
    }

    #[tokio::test]
    async fn nobody_depends_on_how_the_first_is_polled() {
        let (_base, _disk, store) = store();
        let run = store.begin_run().unwrap();
        let limit = std::time::Duration::from_secs(60);
        // The first is kept, and nobody looks after it.
        let mut first = Box::pin(keep(&store, 1));
        assert!(futures_util::poll!(&mut first).is_pending());
        tokio::time::timeout(limit, keep(&store, 2)).await.unwrap().unwrap();
        let mut announces = Box::pin(store.intend_soon(run, "machine:a", "start"));
        assert!(futures_util::poll!(&mut announces).is_pending());
        let second = tokio::time::timeout(limit, store.intend_soon(run, "machine:b", "start")).await;
        drop(second.unwrap().unwrap());
        first.await.unwrap();
        drop(announces.await.unwrap());
        assert_eq!(store.view().unwrap().values.len(), 2);
    }

    #[tokio::test]
    async fn a_failure_is_told_to_all_of_its_transaction_and_to_no_other() {
        let (_base, _disk, store) = store();
        let fails = store.together(|_, _| Err(Error::new(ErrorKind::Host, "no room")));
        let (first, failed, third) = tokio::join!(keep(&store, 1), fails, keep(&store, 3));
        assert_eq!(failed.unwrap_err().to_string(), "no room");
        let values: Vec<_> = store.view().unwrap().values.into_keys().collect();
        for (key, told) in [("0001", first), ("0003", third)] {
            assert_eq!(values.iter().any(|value| value == key), told.is_ok(), "{key}: {told:?}");
            assert!(told.map_or_else(|told| crate::chain(&told).contains("no room"), |()| true));
        }
        let panics = store.together(|_, _| panic!("at the disco"));
        assert_eq!(panics.await.unwrap_err().kind(), ErrorKind::Corrupt);
        keep(&store, 2).await.unwrap();
        assert!(store.view().unwrap().values.contains_key("0002"));
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn the_layout_is_free_when_the_last_is_told() {
        let (base, _, mut store) = store();
        let dirs = Dirs::find("lab", Some(base.path())).unwrap();
        for number in 0..10 {
            keep(&store, number).await.unwrap();
            drop(store);
            store = Store::open(&dirs, "deploy").unwrap();
        }
        drop(store);
        assert_eq!(Snapshot::read(&dirs).unwrap().values.len(), 10);
    }
}
