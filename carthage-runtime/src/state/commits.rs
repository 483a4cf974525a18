//! Changes that come at the same time become durable together: one commit, and one wait for the disk, for all of them.
//!
//! While one commit is written, those who come wait for their turn; the first of them begins the next transaction, the others join
//! it, and the last one commits it for all. Whoever comes alone waits for nobody. If one of them fails, none of that transaction
//! happened, and each is told.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};

use redb::{Database, WriteTransaction};

use super::database::{corrupt, guarded};
use crate::crash::crash_point;
use crate::error::{Error, ErrorKind};

/// The transactions of one database.
#[derive(Debug, Default)]
pub(super) struct Commits {
    open: Mutex<Option<Open>>,
    ended: Condvar,
    /// How many are about to join.
    coming: AtomicUsize,
}

/// A transaction that waits for those who are about to join.
struct Open {
    transaction: WriteTransaction,
    batch: Arc<Batch>,
}

/// How a transaction ended, for those who did not end it.
#[derive(Debug, Default)]
struct Batch(OnceLock<Result<(), (ErrorKind, String)>>);

impl Commits {
    /// Makes one change, durably; perhaps in one transaction with others.
    pub(super) fn write<T>(
        &self,
        db: &Database,
        path: &Path,
        body: impl FnOnce(&WriteTransaction) -> Result<T, Error>,
    ) -> Result<T, Error> {
        self.coming.fetch_add(1, Ordering::SeqCst);
        let mut open = self.locked();
        let joined = match open.take() {
            Some(joined) => Ok(joined),
            None => guarded(path, || Ok(db.begin_write()?))
                .map(|transaction| Open { transaction, batch: Arc::default() }),
        };
        let changed = joined.and_then(|joined| {
            let changed = catch_unwind(AssertUnwindSafe(|| body(&joined.transaction)));
            match changed.unwrap_or_else(|_| Err(corrupt(path, "what is in it makes no sense"))) {
                Ok(answer) => Ok((joined, answer)),
                Err(error) => {
                    // Dropped, it has never happened.
                    drop(joined.transaction);
                    joined.batch.ends(Err(&error));
                    self.ended.notify_all();
                    Err(error)
                }
            }
        });
        let is_last = self.coming.fetch_sub(1, Ordering::SeqCst) == 1;
        let (Open { transaction, batch }, answer) = changed?;
        if !is_last {
            *open = Some(Open { transaction, batch: batch.clone() });
            return self.told(open, &batch).map(|()| answer);
        }
        drop(open);
        crash_point("state-uncommitted");
        let committed = guarded(path, || Ok(transaction.commit()?));
        crash_point("state-committed");
        batch.ends(committed.as_ref().copied());
        // Nobody is between looking and waiting.
        drop(self.locked());
        self.ended.notify_all();
        committed.map(|()| answer)
    }

    fn locked(&self) -> MutexGuard<'_, Option<Open>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until a transaction has ended.
    fn told(&self, mut open: MutexGuard<'_, Option<Open>>, batch: &Batch) -> Result<(), Error> {
        loop {
            match batch.0.get() {
                Some(Ok(())) => return Ok(()),
                Some(Err((kind, why))) => {
                    let what = "a change that was to be written with others was not";
                    return Err(Error::new(*kind, what).because(why.clone()).hint("deploy again"));
                }
                None => open = self.ended.wait(open).unwrap_or_else(PoisonError::into_inner),
            }
        }
    }
}

impl Batch {
    fn ends(&self, how: Result<(), &Error>) {
        // It ends once.
        self.0.set(how.map_err(|error| (error.kind(), crate::chain(error)))).ok();
    }
}

impl std::fmt::Debug for Open {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Open").field("batch", &self.batch).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Barrier;

    use redb::{ReadableDatabase, ReadableTable, TableDefinition};

    use super::*;

    const TABLE: TableDefinition<'static, u64, u64> = TableDefinition::new("numbers");

    fn insert(transaction: &WriteTransaction, number: u64) -> Result<(), Error> {
        guarded("test".as_ref(), || Ok(transaction.open_table(TABLE)?.insert(number, number).map(drop)?))
    }

    fn numbers(db: &Database) -> Vec<u64> {
        let table = db.begin_read().unwrap().open_table(TABLE).unwrap();
        table.iter().unwrap().map(|row| row.unwrap().0.value()).collect()
    }

    #[test]
    fn what_comes_at_once_is_committed_together_and_all_of_it() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("db");
        let db = Database::create(&path).unwrap();
        let (commits, threads) = (Commits::default(), 16);
        let (together, barrier) = (Mutex::new(Vec::new()), Barrier::new(threads));
        std::thread::scope(|scope| {
            for thread in 0..threads as u64 {
                let (commits, db, path, together, barrier) = (&commits, &db, &path, &together, &barrier);
                scope.spawn(move || {
                    barrier.wait();
                    for number in 0..50 {
                        let written = commits.write(db, path, |transaction| {
                            together.lock().unwrap().push(std::ptr::from_ref(transaction).addr());
                            insert(transaction, thread * 50 + number)
                        });
                        written.unwrap();
                        assert!(
                            numbers(db).contains(&(thread * 50 + number)),
                            "it is there when it is said to be"
                        );
                    }
                });
            }
        });
        assert_eq!(numbers(&db), (0..threads as u64 * 50).collect::<Vec<_>>());
        assert_eq!(commits.coming.into_inner(), 0);
    }

    #[test]
    fn a_failure_is_told_to_all_of_its_transaction_and_to_no_other() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("db");
        let db = Database::create(&path).unwrap();
        let commits = Commits::default();
        let (inside, fail) = (Barrier::new(2), Error::new(ErrorKind::Host, "no room"));
        let (first, second) = std::thread::scope(|scope| {
            let first = scope.spawn(|| {
                commits.write(&db, &path, |transaction| {
                    inside.wait();
                    // The other has come, and waits.
                    while commits.coming.load(Ordering::SeqCst) < 2 {
                        std::thread::yield_now();
                    }
                    insert(transaction, 1)
                })
            });
            inside.wait();
            let second = commits.write(&db, &path, |_| Err::<(), _>(fail));
            (first.join().unwrap(), second)
        });
        assert_eq!(second.unwrap_err().to_string(), "no room");
        let first = first.unwrap_err();
        assert!(first.kind() == ErrorKind::Host && crate::chain(&first).contains("no room"), "{first:?}");
        commits.write(&db, &path, |transaction| insert(transaction, 2)).unwrap();
        let panics = commits.write(&db, &path, |_| -> Result<(), Error> { panic!("at the disco") });
        assert_eq!(panics.unwrap_err().kind(), ErrorKind::Corrupt);
        assert_eq!(numbers(&db), [2]);
    }
}
