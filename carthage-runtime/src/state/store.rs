//! The store of what exists: one embedded database, every change durable when the call returns.

use std::collections::{BTreeSet, HashSet};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use redb::{Database, ReadTransaction, ReadableDatabase, WriteTransaction};
use serde::Serialize;
use zeroize::Zeroizing;

use super::commits::{self, Commits};
use super::database::{self, ASSIGNMENTS, FILE, FORMAT, META, NEW_FILE, RECORDS, VALUES};
use super::database::{corrupt, guarded};
use super::dirs::{Dirs, make_dir, unusable};
use super::entries::{self, Entries, unfinished};
use super::journal::Entry;
use super::key::{HashKey, random};
use super::lock::{self, Lock};
use super::record::{Kind, Record};
use super::snapshot::Snapshot;
use super::storage::{gone, missing};
use crate::crash::crash_point;
use crate::error::{Error, ErrorKind};

/// The directory of the keys of ssh, of the layout and of hosts: as much of the layout's life as the store.
const KEYS: &str = "ssh";

/// The state of one layout, held by this process alone. Cheap to clone; the layout is free again when the last clone is
/// dropped.
///
/// Every method that changes something waits for the disk (about a third of a millisecond on an SSD).
#[derive(Clone, Debug)]
pub struct Store(pub(super) Arc<Inner>);

#[derive(Debug)]
pub(super) struct Inner {
    pub(super) commits: Commits,
    pub(super) db: Database,
    pub(super) path: PathBuf,
    pub(super) dirs: Dirs,
    id: String,
    hash_key: HashKey,
    forgotten: AtomicBool,
    /// The highest number of an entry in the journal.
    pub(super) last_entry: AtomicU64,
    /// The journal of the run that goes on.
    pub(super) entries: Entries,
    /// Things that runs before this one left something unfinished on.
    pub(super) earlier: Mutex<HashSet<String>>,
    /// Entries that have ended on those, which is written with the next change.
    pub(super) ended: Mutex<Vec<Entry>>,
    // Last, so that the file is closed before the layout is free for others.
    lock: Lock,
}

impl Store {
    /// Takes the layout for this process, which runs `command`; makes its directories and its store if there are none.
    ///
    /// # Errors
    /// [`ErrorKind::Locked`] when another run holds it, [`ErrorKind::Corrupt`] when the store is damaged or of a newer
    /// version, [`ErrorKind::Host`] when the directories cannot be used.
    pub fn open(dirs: &Dirs, command: &str) -> Result<Self, Error> {
        let mut made = dirs.make()?;
        let lock = Lock::take(dirs, command)?;
        made.extend([dirs.cache(), dirs.logs()].into_iter().flat_map(missing));
        let path = dirs.state().join(FILE);
        let check =
            |transaction: &ReadTransaction| Snapshot::load(&path, transaction, |run| unfinished(dirs, run));
        let (db, snapshot) = match database::open(dirs.storage(), &path, check)? {
            Some(opened) => opened,
            None => {
                refuse_strange_dir(dirs)?;
                let db =
                    database::create(dirs.storage(), dirs.state(), |transaction| born(&path, transaction))?;
                let snapshot = view(&db, &path, |_| Ok(Default::default()))?;
                (db, snapshot)
            }
        };
        let (Some(id), Some(hash_key)) = (snapshot.id, snapshot.hash_key) else {
            return Err(corrupt(&path, "it has no id"));
        };
        let things = snapshot.unfinished.iter().map(|entry| entry.thing.clone()).collect();
        let inner = Inner {
            commits: Commits::default(),
            db,
            path,
            dirs: dirs.clone(),
            id,
            hash_key,
            forgotten: AtomicBool::new(false),
            last_entry: AtomicU64::new(snapshot.last_entry),
            entries: Entries::after(dirs, snapshot.run, snapshot.in_file),
            earlier: Mutex::new(things),
            ended: Mutex::default(),
            lock,
        };
        let store = Self(Arc::new(inner));
        let known = snapshot.made.len();
        let made: BTreeSet<_> = snapshot.made.into_iter().chain(made).collect();
        if made.len() > known || snapshot.format < FORMAT {
            store.write(|transaction| {
                store.put(transaction, META, "format", &FORMAT)?;
                store.put(transaction, META, "made", &made)
            })?;
        }
        // Only now: what is made is on record before it is there.
        make_dir(&**dirs.storage(), dirs.cache())?;
        make_dir(&**dirs.storage(), dirs.logs())?;
        Ok(store)
    }

    /// The layout's id: 32 hexadecimal digits.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.0.id
    }

    /// The key for hashes of tasks' inputs.
    #[must_use]
    pub fn hash_key(&self) -> &HashKey {
        &self.0.hash_key
    }

    /// The layout's directories.
    #[must_use]
    pub fn dirs(&self) -> &Dirs {
        &self.0.dirs
    }

    /// All that is known now.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn view(&self) -> Result<Snapshot, Error> {
        view(&self.0.db, &self.0.path, |_| Ok((self.0.entries.open(), 0)))
    }

    /// Writes what is known of a thing, outside any journalled change.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn put_record(&self, record: &Record) -> Result<(), Error> {
        self.write(|transaction| self.put_record_in(transaction, record))
    }

    pub(super) fn put_record_in(&self, transaction: &WriteTransaction, record: &Record) -> Result<(), Error> {
        self.put(transaction, RECORDS, record.thing().as_str(), record)
    }

    /// Writes what is known of several things, all at once.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn put_records(&self, records: &[Record]) -> Result<(), Error> {
        self.write(|transaction| {
            records
                .iter()
                .try_for_each(|record| self.put(transaction, RECORDS, record.thing().as_str(), record))
        })
    }

    /// Forgets a thing, such as `machine:mirror.algebra`, and a machine's assignments with it, outside any journalled change.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn remove_record(&self, thing: &str) -> Result<(), Error> {
        self.write(|transaction| self.remove_thing(transaction, thing))
    }

    /// A value kept by `#[provide(persist, …)]`.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn persist_get(&self, key: &str) -> Result<Option<Zeroizing<Vec<u8>>>, Error> {
        guarded(&self.0.path, || {
            let table = self.0.db.begin_read()?.open_table(VALUES)?;
            Ok(table.get(key)?.map(|value| Zeroizing::new(value.value().to_vec())))
        })
    }

    /// Keeps a value.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn persist_put(&self, key: &str, value: &[u8]) -> Result<(), Error> {
        self.write(|transaction| self.keep_in(transaction, key, value))
    }

    pub(super) fn keep_in(
        &self,
        transaction: &WriteTransaction,
        key: &str,
        value: &[u8],
    ) -> Result<(), Error> {
        guarded(&self.0.path, || Ok(transaction.open_table(VALUES)?.insert(key, value).map(drop)?))
    }

    /// Forgets a value.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn persist_remove(&self, key: &str) -> Result<(), Error> {
        self.write(|transaction| {
            guarded(&self.0.path, || Ok(transaction.open_table(VALUES)?.remove(key).map(drop)?))
        })
    }

    /// Ends the layout's life: removes the store, stamps, logs, the layout's directory, and the directories that were made
    /// for it, as far as nothing of others is in them.
    ///
    /// # Errors
    /// When something still exists, when the layout's directory holds something strange (then nothing is removed: without
    /// its store, no run would use the directory again), or files cannot be removed.
    pub fn forget(&self) -> Result<(), Error> {
        let Inner { path, dirs, .. } = &*self.0;
        let snapshot = self.view()?;
        if let Some(thing) = snapshot.records.keys().next() {
            return Err(Error::new(
                ErrorKind::Usage,
                format!("layout `{}` still has `{thing}`", dirs.layout()),
            )
            .hint("destroy everything first"));
        }
        if let Some(name) = strange_entry(dirs, &[KEYS, entries::DIR])? {
            let what =
                format!("`{}` holds `{}`, which is not the layout's", dirs.state().display(), name.display());
            return Err(
                Error::new(ErrorKind::Host, what).hint("move it elsewhere or remove it, and `destroy` again")
            );
        }
        self.0.forgotten.store(true, Ordering::SeqCst);
        let storage = dirs.storage();
        for dir in [dirs.cache(), dirs.logs(), &dirs.state().join(KEYS), &dirs.state().join(entries::DIR)] {
            gone(storage.remove_tree(dir)).map_err(unusable(dir))?;
            crash_point("directory-removed");
        }
        // Without its store, a run would refuse a directory with something in it.
        storage.sync_dir(dirs.state()).map_err(unusable(dirs.state()))?;
        storage.remove(path).and_then(|()| storage.sync_dir(dirs.state())).map_err(unusable(path))?;
        crash_point("store-removed");
        self.0.lock.remove()?;
        gone(storage.remove_dir(dirs.state())).map_err(unusable(dirs.state()))?;
        crash_point("directory-removed");
        // Whatever is not empty holds something of somebody else, and stays.
        for dir in snapshot.made.iter().rev() {
            if let Err(error) = storage.remove_dir(dir) {
                tracing::debug!(%error, dir = %dir.display(), "kept");
            }
            crash_point("directory-removed");
        }
        Ok(())
    }

    pub(super) fn is_forgotten(&self) -> bool {
        self.0.forgotten.load(Ordering::SeqCst)
    }

    pub(super) fn refuse_forgotten(&self) -> Result<(), Error> {
        if !self.is_forgotten() {
            return Ok(());
        }
        let what = format!("layout `{}` has been forgotten", self.0.dirs.layout());
        Err(Error::new(ErrorKind::NotFound, what))
    }

    /// One durable change.
    pub(super) fn write<T>(
        &self,
        body: impl FnOnce(&WriteTransaction) -> Result<T, Error>,
    ) -> Result<T, Error> {
        self.refuse_forgotten()?;
        let mut ended = Vec::new();
        let written = commits::write(&self.0.db, &self.0.path, |transaction| {
            ended = self.ended();
            self.end_those(transaction, &ended)?;
            body(transaction)
        });
        if written.is_ok() && !ended.is_empty() {
            self.are_written(&ended);
        }
        written
    }

    /// Writes a value as JSON.
    pub(super) fn put<'k, K: redb::Key + 'static>(
        &self,
        transaction: &WriteTransaction,
        table: redb::TableDefinition<'static, K, &'static [u8]>,
        key: impl std::borrow::Borrow<K::SelfType<'k>>,
        value: &impl Serialize,
    ) -> Result<(), Error> {
        guarded(&self.0.path, || {
            Ok(transaction.open_table(table)?.insert(key, json(value)?.as_slice()).map(drop)?)
        })
    }

    pub(super) fn remove_thing(&self, transaction: &WriteTransaction, thing: &str) -> Result<(), Error> {
        let machine = thing.strip_prefix(&Kind::Machine.thing(""));
        guarded(&self.0.path, || {
            transaction.open_table(RECORDS)?.remove(thing)?;
            transaction.open_table(ASSIGNMENTS)?.retain(|(owner, _), _| Some(owner) != machine)?;
            Ok(())
        })
    }
}

fn view(
    db: &Database,
    path: &Path,
    in_file: impl Fn(u64) -> Result<(Vec<Entry>, u64), Error>,
) -> Result<Snapshot, Error> {
    Snapshot::load(path, &guarded(path, || Ok(db.begin_read()?))?, in_file)
}

/// What a new store holds.
fn born(path: &Path, transaction: &WriteTransaction) -> Result<(), Error> {
    let id = random::<16>()?.map(|byte| format!("{byte:02x}")).concat();
    let key = HashKey::generate()?;
    guarded(path, || {
        let mut meta = transaction.open_table(META)?;
        meta.insert("format", json(&FORMAT)?.as_slice())?;
        meta.insert("id", json(&id)?.as_slice())?;
        meta.insert("run", json(&0)?.as_slice())?;
        meta.insert("made", json(&[(); 0])?.as_slice())?;
        meta.insert("key", key.bytes().as_slice())?;
        Ok(())
    })
}

pub(super) fn json(value: &impl Serialize) -> Result<Vec<u8>, redb::Error> {
    serde_json::to_vec(value).map_err(|error| redb::Error::Io(error.into()))
}

/// A directory with things in it but without a store is not the layout's, or has lost its store: neither may be built upon.
fn refuse_strange_dir(dirs: &Dirs) -> Result<(), Error> {
    let Some(name) = strange_entry(dirs, &[])? else { return Ok(()) };
    let what = format!("`{}` holds `{}` but no `{FILE}`", dirs.state().display(), name.display());
    Err(Error::new(ErrorKind::Corrupt, what).hint(
        "put the file back if it was lost; name another directory with --state-dir or CARTHAGE_STATE_DIR if this one is not the layout's",
    ))
}

/// Something in the layout's directory that is not the store's, nor one of these, if there is any.
fn strange_entry(dirs: &Dirs, besides: &[&str]) -> Result<Option<OsString>, Error> {
    let mut names = dirs.storage().names(dirs.state()).map_err(unusable(dirs.state()))?.into_iter();
    Ok(names.find(|name| {
        let path = dirs.state().join(name);
        let ours = [FILE, NEW_FILE, lock::FILE].iter().chain(besides).any(|ours| name == *ours);
        !ours && path != dirs.cache() && path != dirs.logs()
    }))
}
