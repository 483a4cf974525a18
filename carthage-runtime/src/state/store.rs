//! The store of what exists: one embedded database, every change durable when the call returns.

use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind as Io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use redb::{Database, ReadableDatabase, ReadableTable, WriteTransaction};
use serde::Serialize;
use zeroize::Zeroizing;

use super::database::{
    self, ASSIGNMENTS, FILE, FORMAT, JOURNAL, META, NEW_FILE, RECORDS, UNFINISHED, VALUES,
};
use super::database::{corrupt, guarded};
use super::dirs::{Dirs, make_dir, sync_dir, unusable};
use super::journal::{Change, Entry, Intent, Outcome};
use super::key::{HashKey, random};
use super::lock::{self, Lock, now};
use super::record::{Assignment, Kind, Record};
use super::snapshot::{Snapshot, parse};
use crate::error::{Error, ErrorKind};

/// How many runs the journal goes back.
const KEPT_RUNS: u64 = 20;

/// The state of one layout, held by this process alone. Cheap to clone; the layout is free again when the last clone is
/// dropped.
///
/// Every method that changes something waits for the disk (about a third of a millisecond on an SSD).
#[derive(Clone, Debug)]
pub struct Store(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    db: Database,
    path: PathBuf,
    dirs: Dirs,
    id: String,
    hash_key: HashKey,
    forgotten: AtomicBool,
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
        made.extend(make_dir(dirs.cache())?);
        made.extend(make_dir(dirs.logs())?);
        let path = dirs.state().join(FILE);
        let db = match database::open(&path)? {
            Some(db) => db,
            None => {
                refuse_strange_dir(dirs)?;
                database::create(dirs.state(), |transaction| born(&path, transaction))?
            }
        };
        let snapshot = view(&db, &path)?;
        let (Some(id), Some(hash_key)) = (snapshot.id, snapshot.hash_key) else {
            return Err(corrupt(&path, "it has no id"));
        };
        let inner =
            Inner { db, path, dirs: dirs.clone(), id, hash_key, forgotten: AtomicBool::new(false), lock };
        let store = Self(Arc::new(inner));
        let known = snapshot.made.len();
        let made: std::collections::BTreeSet<_> = snapshot.made.into_iter().chain(made).collect();
        if made.len() > known {
            store.write(|transaction| store.put(transaction, META, "made", &made))?;
        }
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
        view(&self.0.db, &self.0.path)
    }

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
        let path = &self.0.path;
        self.write(|transaction| {
            let mut ended = Vec::new();
            guarded(path, || {
                let mut unfinished = transaction.open_table(UNFINISHED)?;
                unfinished.remove(entry.seq)?;
                for row in unfinished.iter()? {
                    ended.push(row?.1.value().to_vec());
                }
                Ok(())
            })?;
            let mut ended: Vec<Entry> =
                ended.iter().map(|bytes| parse(path, bytes)).collect::<Result<_, _>>()?;
            ended.retain(|other| other.thing == entry.thing && other.run < entry.run);
            for other in &mut ended {
                other.outcome = Some(Outcome::Superseded);
                guarded(path, || Ok(transaction.open_table(UNFINISHED)?.remove(other.seq).map(drop)?))?;
            }
            let thing = entry.thing.clone();
            entry.outcome = Some(outcome);
            ended.push(entry);
            for entry in &ended {
                self.put(transaction, JOURNAL, entry.seq, entry)?;
            }
            match change {
                Change::Nothing => Ok(()),
                Change::Put(record) => self.put(transaction, RECORDS, record.thing().as_str(), &record),
                Change::Remove => self.remove_thing(transaction, &thing),
            }
        })
    }

    /// Writes what is known of a thing, outside any journalled change.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn put_record(&self, record: &Record) -> Result<(), Error> {
        self.write(|transaction| self.put(transaction, RECORDS, record.thing().as_str(), record))
    }

    /// Forgets a thing, such as `machine:mirror.algebra`, and a machine's assignments with it, outside any journalled change.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn remove_record(&self, thing: &str) -> Result<(), Error> {
        self.write(|transaction| self.remove_thing(transaction, thing))
    }

    /// Records who has which address, by machine and interface, all or none.
    ///
    /// # Errors
    /// When another interface has one of the addresses, or the store cannot be written.
    pub fn assign(&self, assignments: &BTreeMap<(String, String), Assignment>) -> Result<(), Error> {
        let path = &self.0.path;
        self.write(|transaction| {
            for ((machine, interface), assignment) in assignments {
                let key = (machine.as_str(), interface.as_str());
                guarded(path, || {
                    Ok(transaction
                        .open_table(ASSIGNMENTS)?
                        .insert(key, json(assignment)?.as_slice())
                        .map(drop)?)
                })?;
            }
            let all = guarded(path, || {
                let table = transaction.open_table(ASSIGNMENTS)?;
                let mut all = Vec::new();
                for row in table.iter()? {
                    let (key, value) = row?;
                    let (machine, interface) = key.value();
                    all.push((format!("`{interface}` of `{machine}`"), value.value().to_vec()));
                }
                Ok(all)
            })?;
            let (mut addresses, mut macs) = (BTreeMap::new(), BTreeMap::new());
            for (owner, bytes) in all {
                let Assignment { network, address, mac } = parse(path, &bytes)?;
                let mac = mac.map(|byte| format!("{byte:02x}")).join(":");
                let other = address
                    .and_then(|address| {
                        Some((address.to_string(), addresses.insert((network, address), owner.clone())?))
                    })
                    .or_else(|| Some((mac.clone(), macs.insert(mac.clone(), owner.clone())?)));
                if let Some((what, other)) = other {
                    return Err(Error::new(
                        ErrorKind::Usage,
                        format!("{what} would be given to {other} and to {owner}"),
                    )
                    .hint("name other addresses in the layout, or destroy the machine that has it"));
                }
            }
            Ok(())
        })
    }

    /// Frees the addresses of one interface.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn release(&self, machine: &str, interface: &str) -> Result<(), Error> {
        self.write(|transaction| {
            guarded(&self.0.path, || {
                Ok(transaction.open_table(ASSIGNMENTS)?.remove((machine, interface)).map(drop)?)
            })
        })
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
        self.write(|transaction| {
            guarded(&self.0.path, || Ok(transaction.open_table(VALUES)?.insert(key, value).map(drop)?))
        })
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

    /// Ends the layout's life: removes the store, stamps, logs, and the directories that were made for them, as far as
    /// nothing of others is in them.
    ///
    /// # Errors
    /// When something still exists, or files cannot be removed.
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
        self.0.forgotten.store(true, Ordering::SeqCst);
        for dir in [dirs.cache(), dirs.logs()] {
            match fs::remove_dir_all(dir) {
                Err(error) if error.kind() != Io::NotFound => return Err(unusable(dir)(error)),
                _ => {}
            }
        }
        fs::remove_file(path).map_err(unusable(path))?;
        sync_dir(dirs.state())?;
        self.0.lock.remove()?;
        // Whatever is not empty holds something of somebody else, and stays.
        let above = snapshot.made.iter().rev().map(PathBuf::as_path);
        for dir in std::iter::once(dirs.state()).chain(above) {
            if let Err(error) = fs::remove_dir(dir) {
                tracing::debug!(%error, dir = %dir.display(), "kept");
            }
        }
        Ok(())
    }

    fn write<T>(&self, body: impl FnOnce(&WriteTransaction) -> Result<T, Error>) -> Result<T, Error> {
        if self.0.forgotten.load(Ordering::SeqCst) {
            return Err(Error::new(
                ErrorKind::NotFound,
                format!("layout `{}` has been forgotten", self.0.dirs.layout()),
            ));
        }
        database::write(&self.0.db, &self.0.path, body)
    }

    fn put<'k, K: redb::Key + 'static>(
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

    fn remove_thing(&self, transaction: &WriteTransaction, thing: &str) -> Result<(), Error> {
        let machine = thing.strip_prefix(&Kind::Machine.thing(""));
        guarded(&self.0.path, || {
            transaction.open_table(RECORDS)?.remove(thing)?;
            transaction.open_table(ASSIGNMENTS)?.retain(|(owner, _), _| Some(owner) != machine)?;
            Ok(())
        })
    }
}

fn view(db: &Database, path: &Path) -> Result<Snapshot, Error> {
    Snapshot::load(path, &guarded(path, || Ok(db.begin_read()?))?)
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

fn json(value: &impl Serialize) -> Result<Vec<u8>, redb::Error> {
    serde_json::to_vec(value).map_err(|error| redb::Error::Io(error.into()))
}

/// A directory with things in it but without a store is not the layout's, or has lost its store: neither may be built upon.
fn refuse_strange_dir(dirs: &Dirs) -> Result<(), Error> {
    let ours = [FILE, NEW_FILE, lock::FILE, "cache", "log"];
    let entries = fs::read_dir(dirs.state()).map_err(unusable(dirs.state()))?;
    for entry in entries {
        let name = entry.map_err(unusable(dirs.state()))?.file_name();
        if !ours.iter().any(|ours| name == *ours) {
            let what = format!("`{}` holds `{}` but no `{FILE}`", dirs.state().display(), name.display());
            return Err(Error::new(ErrorKind::Corrupt, what).hint(
                "put the file back if it was lost; name another directory with --state-dir or CARTHAGE_STATE_DIR if this one is not the layout's",
            ));
        }
    }
    Ok(())
}
