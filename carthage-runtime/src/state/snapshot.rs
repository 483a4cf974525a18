//! All that the store knows, at one instant.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::{Path, PathBuf};

use redb::{ReadTransaction, ReadableTable, ReadableTableMetadata, TableDefinition};
use serde::de::DeserializeOwned;
use zeroize::Zeroizing;

use super::database::{
    self, ASSIGNMENTS, FILE, FORMAT, JOURNAL, LAST_ENTRY, META, RECORDS, TAKEN_IN, UNFINISHED, VALUES,
    corrupt, guarded,
};
use super::dirs::Dirs;
use super::entries::unfinished;
use super::journal::{Entry, since};
use super::key::HashKey;
use super::record::{Assignment, Record};
use crate::error::{Error, ErrorKind};

/// All that the store knows, at one instant. The default is what is known of a layout that was never deployed: nothing.
#[derive(Clone, Default)]
pub struct Snapshot {
    /// The layout's id, 32 hexadecimal digits; `None` if it was never deployed.
    pub id: Option<String>,
    /// The number of the last run; 0 before the first.
    pub run: u64,
    /// What exists, by its name as users write it.
    pub records: BTreeMap<String, Record>,
    /// The addresses that are taken, by machine and interface.
    pub assignments: BTreeMap<(String, String), Assignment>,
    /// Changes that were begun and not ended: their process died in them, or is still in them.
    pub unfinished: Vec<Entry>,
    /// Values kept by `#[provide(persist, …)]`, by key.
    pub values: BTreeMap<String, Zeroizing<Vec<u8>>>,
    /// The key for hashes of tasks' inputs; `None` if the layout was never deployed.
    pub hash_key: Option<HashKey>,
    pub(super) made: BTreeSet<PathBuf>,
    pub(super) format: u64,
    /// The highest number of an entry in the journal.
    pub(super) last_entry: u64,
    /// Of what is unfinished, what is not in the store but in the journal's file of the last run.
    pub(super) in_file: Vec<Entry>,
}

impl fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Snapshot")
            .field("id", &self.id)
            .field("run", &self.run)
            .field("records", &self.records)
            .field("assignments", &self.assignments)
            .field("unfinished", &self.unfinished)
            .field("values", &self.values.keys())
            .finish_non_exhaustive()
    }
}

impl Snapshot {
    /// Reads the store of a layout, also while another process deploys it. Changes nothing and creates nothing.
    ///
    /// # Errors
    /// [`ErrorKind::Corrupt`] when the file is damaged or of a newer version, [`ErrorKind::Host`] when it cannot be read.
    pub fn read(dirs: &Dirs) -> Result<Self, Error> {
        let path = dirs.state().join(FILE);
        let load =
            |transaction: &ReadTransaction| Self::load(&path, transaction, |run| unfinished(dirs, run));
        Ok(database::read(dirs, load)?.unwrap_or_default())
    }

    /// Changes that ended in runs after this one, in their order, as far back as the journal goes; read like [`read`](Self::read).
    ///
    /// # Errors
    /// As there.
    pub fn journal(dirs: &Dirs, after: u64) -> Result<Vec<Entry>, Error> {
        let path = dirs.state().join(FILE);
        let since = |transaction: &ReadTransaction| since(&path, transaction, dirs, after);
        Ok(database::read(dirs, since)?.unwrap_or_default())
    }

    /// `in_file` answers what is unfinished by the journal's file of a run, and the highest number in it.
    pub(super) fn load(
        path: &Path,
        transaction: &ReadTransaction,
        in_file: impl Fn(u64) -> Result<(Vec<Entry>, u64), Error>,
    ) -> Result<Self, Error> {
        let meta: BTreeMap<String, Zeroizing<Vec<u8>>> = guarded(path, || {
            let table = transaction.open_table(META)?;
            table
                .iter()?
                .map(|row| Ok(row.map(|(k, v)| (k.value().to_owned(), v.value().to_vec().into()))?))
                .collect()
        })?;
        let get =
            |name: &str| meta.get(name).ok_or_else(|| corrupt(path, format!("it says nothing of `{name}`")));
        let format = parse::<u64>(path, get("format")?)?;
        if format > FORMAT {
            let what =
                format!("the state file `{}` was written by a newer version of Carthage", path.display());
            return Err(Error::new(ErrorKind::Corrupt, what)
                .because(format!("its format is {format}, and this version knows {FORMAT}"))
                .hint("build the layout with the newer version"));
        }
        // Each is taken apart where it stands: of thousands, none is copied first.
        let records =
            rows(path, transaction, RECORDS, |thing, record| Ok((thing.to_owned(), parse(path, record)?)))?;
        let assignments = rows(path, transaction, ASSIGNMENTS, |(machine, interface), assignment| {
            Ok(((machine.to_owned(), interface.to_owned()), parse(path, assignment)?))
        })?;
        let values =
            rows(path, transaction, VALUES, |key, value| Ok((key.to_owned(), value.to_vec().into())))?;
        let unfinished = rows(path, transaction, UNFINISHED, |_, entry| parse::<Entry>(path, entry))?;
        let last_entry =
            guarded(path, || Ok(transaction.open_table(JOURNAL)?.last()?.map_or(0, |(seq, _)| seq.value())))?;
        let number = |name: &str| meta.get(name).map_or(Ok(0), |number| parse::<u64>(path, number));
        let run = parse(path, get("run")?)?;
        let (in_file, highest) = if number(TAKEN_IN)? < run { in_file(run)? } else { Default::default() };
        let journal = guarded(path, || Ok(transaction.open_table(JOURNAL)?))?;
        let in_file = without_outcome(path, &journal, in_file)?;
        let unfinished: Vec<_> = unfinished.into_iter().chain(in_file.iter().cloned()).collect();
        let last_entry =
            unfinished.iter().map(|entry| entry.seq).max().unwrap_or(0).max(last_entry).max(highest);
        Ok(Self {
            id: Some(parse(path, get("id")?)?),
            run,
            hash_key: Some(
                HashKey::from_bytes(get("key")?)
                    .ok_or_else(|| corrupt(path, "its key has a wrong length"))?,
            ),
            made: parse(path, get("made")?)?,
            records: records.into_iter().collect(),
            assignments: assignments.into_iter().collect(),
            unfinished,
            values: values.into_iter().collect(),
            format,
            last_entry: last_entry.max(number(LAST_ENTRY)?),
            in_file,
        })
    }
}

/// For how many rows there is room from the beginning, whatever a file says of how many there are.
const MOST_AT_ONCE: usize = 1 << 14;

/// All that is in a table, in the order of the keys.
fn rows<K: redb::Key + 'static, T>(
    path: &Path,
    transaction: &ReadTransaction,
    table: TableDefinition<'static, K, &'static [u8]>,
    row: impl for<'a> Fn(K::SelfType<'a>, &[u8]) -> Result<T, Error>,
) -> Result<Vec<T>, Error> {
    let rows = guarded(path, || {
        let table = transaction.open_table(table)?;
        let mut rows =
            Vec::with_capacity(usize::try_from(table.len()?).unwrap_or_default().min(MOST_AT_ONCE));
        for found in table.iter()? {
            let (key, value) = found?;
            match row(key.value(), value.value()) {
                Ok(row) => rows.push(row),
                Err(error) => return Ok(Err(error)),
            }
        }
        Ok(Ok(rows))
    });
    rows?
}

/// Of these entries, those that have not ended in the store, of which this is the journal.
pub(super) fn without_outcome(
    path: &Path,
    journal: &impl ReadableTable<u64, &'static [u8]>,
    mut entries: Vec<Entry>,
) -> Result<Vec<Entry>, Error> {
    let ended = |entry: &Entry| guarded(path, || Ok(journal.get(entry.seq)?.is_some()));
    let ended = entries.iter().map(ended).collect::<Result<Vec<_>, _>>()?;
    let mut ended = ended.into_iter();
    entries.retain(|_| ended.next() == Some(false));
    Ok(entries)
}

/// What was written by [`serde_json::to_vec`].
pub(super) fn parse<T: DeserializeOwned>(path: &Path, bytes: &[u8]) -> Result<T, Error> {
    serde_json::from_slice(bytes).map_err(|error| corrupt(path, error))
}
