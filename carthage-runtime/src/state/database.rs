//! The file `state.redb`: opening it, reading a verified copy of it, and what may be wrong with it.
//!
//! redb trusts a file that was not checked, or panics, and its check may change the file. So whoever opens the file first checks
//! a copy in memory. The writer then keeps the file open for its whole run, and a reader beside a living writer shares the file
//! with it.

use std::fs::Metadata;
use std::io::ErrorKind as Io;
use std::os::unix::fs::MetadataExt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use redb::{Builder, ConcurrencyMode, Database, ReadTransaction, ReadableDatabase};
use redb::{TableDefinition, WriteTransaction};

use super::commits;
use super::copied::Copied;
use super::dirs::{Dirs, unusable};
use super::lock;
use super::storage::{Open, Pages, Storage, gone};
use crate::error::{Error, ErrorKind};

pub(super) const META: TableDefinition<'static, &str, &[u8]> = TableDefinition::new("meta");
pub(super) const RECORDS: TableDefinition<'static, &str, &[u8]> = TableDefinition::new("records");
pub(super) const ASSIGNMENTS: TableDefinition<'static, (&str, &str), &[u8]> =
    TableDefinition::new("assignments");
pub(super) const UNFINISHED: TableDefinition<'static, u64, &[u8]> = TableDefinition::new("unfinished");
pub(super) const JOURNAL: TableDefinition<'static, u64, &[u8]> = TableDefinition::new("journal");
pub(super) const VALUES: TableDefinition<'static, &str, &[u8]> = TableDefinition::new("values");

/// In [`META`]: the run up to which all that is unfinished is in the store, and not in a file of the journal.
pub(super) const TAKEN_IN: &str = "taken-in";
/// In [`META`]: the highest number of an entry up to then.
pub(super) const LAST_ENTRY: &str = "last-entry";

/// The version of the tables above and of what is in them. In the first one, all of the journal was in the store; in the second, no
/// record was about a model.
pub(super) const FORMAT: u64 = 3;

/// The file's name in the state directory, and its name while it is being made.
pub(super) const FILE: &str = "state.redb";
pub(super) const NEW_FILE: &str = "state.redb.new";

/// How long to wait for somebody who has the file open for a moment only.
const PATIENCE: Duration = Duration::from_secs(5);

/// What redb keeps of a file that is written, in bytes; and of a copy, which is in memory already.
const CACHE: usize = 16 << 20;
const CACHE_OF_COPY: usize = 1 << 20;

fn builder(mode: ConcurrencyMode, cache: usize) -> Builder {
    let mut builder = Builder::new();
    builder.set_concurrency_mode(mode).set_cache_size(cache);
    builder
}

/// Opens the file for the holder of the lock, if `check` has nothing against what is in it, with what that says; `None` if there is
/// none.
pub(super) fn open<T>(
    storage: &Arc<dyn Storage>,
    path: &Path,
    check: impl Fn(&ReadTransaction) -> Result<T, Error>,
) -> Result<Option<(Database, T)>, Error> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        match storage.metadata(path) {
            Ok(_) => {}
            Err(error) if error.kind() == Io::NotFound => return Ok(None),
            Err(error) => return Err(unusable(path)(error)),
        }
        // A damaged file stays as it is found: opening it for writing would change it before it is refused.
        let checked = read_copy(&**storage, path, &check)?;
        let pages = || Pages::open(storage, path, Open::Write);
        match guarded(path, || {
            Ok(builder(ConcurrencyMode::SingleWriter, CACHE).create_with_backend(pages()?)?)
        }) {
            Err(error) if error.kind() == ErrorKind::Locked && Instant::now() < deadline => {
                std::thread::sleep(Duration::from_millis(10));
            }
            opened => return opened.map(|opened| Some((opened, checked))),
        }
    }
}

/// Makes the file, with what `fill` puts into it; whoever looks sees no file, or all of it.
pub(super) fn create(
    storage: &Arc<dyn Storage>,
    dir: &Path,
    fill: impl FnOnce(&WriteTransaction) -> Result<(), Error>,
) -> Result<Database, Error> {
    let (path, new) = (dir.join(FILE), dir.join(NEW_FILE));
    // A process that died while making it may have left one.
    gone(storage.remove(&new)).map_err(unusable(&new))?;
    let db = guarded(&new, || {
        let pages = Pages::open(storage, &new, Open::New)?;
        Ok(builder(ConcurrencyMode::SingleWriter, CACHE).create_with_backend(pages)?)
    })?;
    commits::write(&db, &new, |transaction| {
        guarded(&new, || {
            transaction.open_table(META)?;
            transaction.open_table(RECORDS)?;
            transaction.open_table(ASSIGNMENTS)?;
            transaction.open_table(UNFINISHED)?;
            transaction.open_table(JOURNAL)?;
            transaction.open_table(VALUES)?;
            Ok(())
        })?;
        fill(transaction)
    })?;
    storage.rename(&new, &path).and_then(|()| storage.sync_dir(dir)).map_err(unusable(&path))?;
    Ok(db)
}

/// Reads the layout's file without changing anything; `None` if there is none.
pub(super) fn read<T>(
    dirs: &Dirs,
    body: impl Fn(&ReadTransaction) -> Result<T, Error>,
) -> Result<Option<T>, Error> {
    let (path, storage) = (dirs.state().join(FILE), dirs.storage());
    let deadline = Instant::now() + PATIENCE;
    loop {
        let before = match storage.metadata(&path) {
            Ok(found) => found,
            Err(error) if error.kind() == Io::NotFound => return Ok(None),
            Err(error) => return Err(unreadable(&path, error)),
        };
        let writer = lock::holder(dirs)?.is_some();
        let answer = match writer {
            true => read_beside_writer(storage, &path, &body),
            false => read_copy(&**storage, &path, &body),
        };
        let error = match answer {
            Ok(answer) => return Ok(Some(answer)),
            Err(error) => error,
        };
        // A writer may have come, gone, or made and removed the file meanwhile: only a failure in a quiet world counts.
        let quiet = !writer
            && lock::holder(dirs)?.is_none()
            && storage.metadata(&path).is_ok_and(|now| stamp(&now) == stamp(&before));
        if quiet || Instant::now() > deadline {
            return Err(error);
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn stamp(file: &Metadata) -> impl PartialEq + use<> {
    (file.dev(), file.ino(), file.len(), file.mtime(), file.mtime_nsec())
}

fn read_beside_writer<T>(
    storage: &Arc<dyn Storage>,
    path: &Path,
    body: impl Fn(&ReadTransaction) -> Result<T, Error>,
) -> Result<T, Error> {
    let transaction = guarded(path, || {
        let pages = Pages::open(storage, path, Open::Read)?;
        let db = builder(ConcurrencyMode::SingleWriter, CACHE).open_read_only_with_backend(pages)?;
        let transaction = db.begin_read()?;
        Ok((db, transaction))
    })?;
    body(&transaction.1)
}

fn read_copy<T>(
    storage: &dyn Storage,
    path: &Path,
    body: impl Fn(&ReadTransaction) -> Result<T, Error>,
) -> Result<T, Error> {
    let bytes = storage.read(path).map_err(|error| unreadable(path, error))?;
    if bytes.is_empty() {
        return Err(corrupt(path, "it is empty"));
    }
    let transaction = guarded(path, || {
        let mut builder = builder(ConcurrencyMode::ExclusiveWriter, CACHE_OF_COPY);
        builder.set_check_integrity_on_open(true);
        let db = builder.create_with_backend(Copied::new(bytes))?;
        let transaction = db.begin_read()?;
        Ok((db, transaction))
    })?;
    body(&transaction.1)
}

/// Runs one of redb's operations; whatever goes wrong in it, also by a panic, becomes an error that names the file.
pub(super) fn guarded<T>(
    path: &Path,
    operation: impl FnOnce() -> Result<T, redb::Error>,
) -> Result<T, Error> {
    match catch_unwind(AssertUnwindSafe(operation)) {
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(error)) => Err(failed(path, error)),
        Err(_) => Err(corrupt(path, "what is in it makes no sense")),
    }
}

fn failed(path: &Path, error: redb::Error) -> Error {
    match error {
        // Without a number of the system's it is redb that complains about what it found.
        redb::Error::Io(error) if error.raw_os_error().is_some() => unusable(path)(error),
        redb::Error::DatabaseAlreadyOpen => Error::new(
            ErrorKind::Locked,
            format!("another program has the state file `{}` open", path.display()),
        )
        .hint("end that program"),
        redb::Error::PreviousIo => Error::new(
            ErrorKind::Host,
            format!("the state file `{}` could not be written earlier in this run", path.display()),
        )
        .hint("see the first error; the next run carries on from what was written before it"),
        error => corrupt(path, error),
    }
}

fn unreadable(path: &Path, error: std::io::Error) -> Error {
    Error::new(ErrorKind::Host, format!("cannot read the state file `{}`", path.display()))
        .because(error)
        .hint("run this as the user who deployed, or name another directory with --state-dir or CARTHAGE_STATE_DIR")
}

/// The file is damaged.
pub(super) fn corrupt(path: &Path, cause: impl Into<crate::BoxError>) -> Error {
    Error::new(ErrorKind::Corrupt, format!("the state file `{}` is damaged", path.display())).because(cause).hint(
        "put back a copy of it; without one, remove by hand what the layout has made on this host, and then its directory",
    )
}
