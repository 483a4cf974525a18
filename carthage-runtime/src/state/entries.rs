//! The journal's file of a run: what is announced, and how it ends, line by line.
//!
//! To add a line costs a fraction of a transaction, and there are many: one for each task. What an outcome means to the record of what
//! exists is in the store, in one transaction with the outcome. A run begins with what runs before it left unfinished in the store, so
//! whoever reads needs the file of the last run at most, and of that only if it was not ended in order.
//!
//! Lines that come at the same time become durable together, as in [`commits`](super::commits).

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::fs::File;
use std::io::{self, ErrorKind as Io};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};

use super::commits::not_written;
use super::dirs::{Dirs, make_dir, unusable};
use super::journal::{Entry, Outcome};
use super::storage::{Open, Storage, gone};
use crate::crash::crash_point;
use crate::error::{Error, ErrorKind};

/// The directory of the files, in that of the layout.
pub(super) const DIR: &str = "journal";
/// The version of the files: that of everything that is written as JSON.
const FORMAT: u32 = 1;

/// Who is told that a line is durable.
pub(super) type Tell = Box<dyn FnOnce(Result<(), Error>) + Send>;

/// Somebody, and what is to be told.
type Told = (Tell, Result<(), Error>);

/// The journal's file of the run that goes on.
pub(super) struct Entries {
    storage: Arc<dyn Storage>,
    dir: PathBuf,
    run: AtomicU64,
    line: Mutex<Line>,
    /// Held while something is written to it.
    file: Mutex<Option<Written>>,
}

#[derive(Default)]
struct Line {
    /// Whether a run goes on: before and after it, the journal is in the store.
    goes_on: bool,
    /// What is announced in the file and has not ended, by number.
    open: BTreeMap<u64, Entry>,
    /// What is to be written.
    bytes: Vec<u8>,
    tell: Vec<Tell>,
    /// Whether somebody is writing, who takes these in.
    is_written: bool,
}

struct Written {
    file: File,
    /// Whether the last line may be half a one.
    torn: bool,
}

/// The first line of a file.
#[derive(Serialize, Deserialize)]
struct Head {
    carthage: u32,
    run: u64,
}

/// That an entry has ended.
#[derive(Serialize)]
struct End<'a> {
    seq: u64,
    outcome: &'a Outcome,
}

/// A line: an entry, or that one has ended.
#[derive(Deserialize)]
struct Any {
    seq: u64,
    #[serde(flatten)]
    begun: Option<Begun>,
    outcome: Option<Outcome>,
}

#[derive(Deserialize)]
struct Begun {
    run: u64,
    thing: String,
    action: String,
    begun: u64,
}

impl Entries {
    /// After this run, of which these entries are open in its file.
    pub(super) fn after(dirs: &Dirs, run: u64, open: Vec<Entry>) -> Self {
        let open = open.into_iter().map(|entry| (entry.seq, entry)).collect();
        Self {
            storage: dirs.storage().clone(),
            dir: dirs.state().join(DIR),
            run: AtomicU64::new(run),
            line: Mutex::new(Line { open, ..Line::default() }),
            file: Mutex::new(None),
        }
    }

    fn line(&self) -> MutexGuard<'_, Line> {
        self.line.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is announced here and has not ended.
    pub(super) fn open(&self) -> Vec<Entry> {
        self.line().open.values().cloned().collect()
    }

    /// Whether an entry is announced here and has not ended.
    pub(super) fn has(&self, seq: u64) -> bool {
        self.line().open.contains_key(&seq)
    }

    /// An entry is in the store now.
    pub(super) fn forget(&self, seq: u64) {
        self.line().open.remove(&seq);
    }

    /// Announces an entry. Answers whether whoever calls this has to see to it that what is in line gets [written](Self::write); `None`
    /// if no run goes on.
    pub(super) fn announce(&self, entry: &Entry, tell: Tell) -> Result<Option<bool>, Error> {
        let mut line = self.line();
        if !line.goes_on {
            return Ok(None);
        }
        line.add(entry)?;
        line.open.insert(entry.seq, entry.clone());
        Ok(Some(line.wait(tell)))
    }

    /// Waits for what is in line, if there is anything.
    pub(super) fn catch_up(&self, tell: Tell) -> bool {
        self.line().wait(tell)
    }

    /// An entry has ended; otherwise like [`announce`](Self::announce).
    pub(super) fn end(&self, seq: u64, outcome: &Outcome, tell: Tell) -> Result<bool, Error> {
        self.end_later(seq, outcome)?;
        Ok(self.line().wait(tell))
    }

    /// An entry has ended, which is written with the next line.
    pub(super) fn end_later(&self, seq: u64, outcome: &Outcome) -> Result<(), Error> {
        let mut line = self.line();
        line.add(&End { seq, outcome })?;
        line.open.remove(&seq);
        Ok(())
    }

    /// Writes all that is in line, durably; answers who is to be told of it, and whether nobody has come since.
    pub(super) fn write(&self) -> (Vec<Told>, bool) {
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        let (bytes, tell) = {
            let mut line = self.line();
            (std::mem::take(&mut line.bytes), std::mem::take(&mut line.tell))
        };
        let written = if bytes.is_empty() { Ok(()) } else { self.write_to(&mut file, bytes) };
        let mut all = Vec::with_capacity(tell.len());
        for tell in tell {
            let again = written.as_ref().map_or_else(|error| Err(not_written(error)), |()| Ok(()));
            all.push((tell, again));
        }
        if let (Err(error), Some((_, first))) = (written, all.first_mut()) {
            *first = Err(error);
        }
        let mut line = self.line();
        line.is_written = !line.tell.is_empty();
        (all, !line.is_written)
    }

    fn write_to(&self, file: &mut Option<Written>, bytes: Vec<u8>) -> Result<(), Error> {
        let run = self.run.load(Ordering::SeqCst);
        let path = path(&self.dir, run);
        crash_point("journal-unwritten");
        let is_new = file.is_none();
        let written = match file {
            Some(written) => written,
            None => {
                make_dir(&*self.storage, &self.dir)?;
                let begun = self.storage.open(&path, Open::More).map_err(unusable(&path))?;
                file.insert(Written { file: begun, torn: false })
            }
        };
        let begins = match (is_new, written.torn) {
            (true, _) => line(&Head { carthage: FORMAT, run })?,
            (false, true) => b"\n".to_vec(),
            _ => Vec::new(),
        };
        let bytes = if begins.is_empty() { bytes } else { [begins, bytes].concat() };
        written.torn = true;
        let append = || {
            self.storage.append(&written.file, &bytes)?;
            self.storage.sync(&written.file)?;
            if is_new { self.storage.sync_dir(&self.dir) } else { Ok(()) }
        };
        append().map_err(unusable(&path))?;
        written.torn = false;
        crash_point("journal-written");
        Ok(())
    }

    /// Whether something is in the file that is not in the store.
    pub(super) fn is_used(&self) -> bool {
        self.file.lock().unwrap_or_else(PoisonError::into_inner).is_some() || !self.line().open.is_empty()
    }

    /// The run ends: nothing more is announced here.
    pub(super) fn stop(&self) {
        self.line().goes_on = false;
    }

    /// All that is open here is in the store now.
    pub(super) fn ended(&self) {
        *self.file.lock().unwrap_or_else(PoisonError::into_inner) = None;
        self.line().open.clear();
    }

    /// A run begins.
    pub(super) fn begun(&self, run: u64) {
        self.run.store(run, Ordering::SeqCst);
        self.line().goes_on = true;
    }

    /// Removes the files of runs before `first`, and those from `next` on, which are from another life of the store.
    pub(super) fn tidy(&self, first: u64, next: u64) -> Result<(), Error> {
        let strange = |error| unusable(&self.dir)(error);
        let mut gone_any = false;
        for run in numbers(&*self.storage, &self.dir).map_err(strange)? {
            if run < first || run >= next {
                gone(self.storage.remove(&path(&self.dir, run))).map_err(strange)?;
                gone_any |= run >= next;
            }
        }
        if gone_any { self.storage.sync_dir(&self.dir).map_err(strange) } else { Ok(()) }
    }
}

impl Line {
    fn wait(&mut self, tell: Tell) -> bool {
        self.tell.push(tell);
        !std::mem::replace(&mut self.is_written, true)
    }

    fn add(&mut self, what: &impl Serialize) -> Result<(), Error> {
        let before = self.bytes.len();
        let added = serde_json::to_writer(&mut self.bytes, what);
        if let Err(error) = added {
            self.bytes.truncate(before);
            return Err(unspeakable(error));
        }
        self.bytes.push(b'\n');
        Ok(())
    }
}

fn line(what: &impl Serialize) -> Result<Vec<u8>, Error> {
    let mut bytes = serde_json::to_vec(what).map_err(unspeakable)?;
    bytes.push(b'\n');
    Ok(bytes)
}

fn unspeakable(error: serde_json::Error) -> Error {
    Error::host("an entry of the journal cannot be written as JSON")(error)
}

fn path(dir: &Path, run: u64) -> PathBuf {
    dir.join(format!("{run}.ndjson"))
}

/// The runs of which there are files.
fn numbers(storage: &dyn Storage, dir: &Path) -> io::Result<BTreeSet<u64>> {
    let names = match storage.names(dir) {
        Err(error) if error.kind() == Io::NotFound => return Ok(BTreeSet::new()),
        names => names?,
    };
    Ok(names.iter().filter_map(|name| name.to_str()?.strip_suffix(".ndjson")?.parse().ok()).collect())
}

/// All entries in the file of a run, by number, with the outcomes that are in it; none if there is no file. A line that cannot be read
/// says nothing: it is what a power cut has left of one that nobody relied upon.
pub(super) fn read(dirs: &Dirs, run: u64) -> Result<BTreeMap<u64, Entry>, Error> {
    let path = path(&dirs.state().join(DIR), run);
    let text = match dirs.storage().read(&path) {
        Err(error) if error.kind() == Io::NotFound => return Ok(BTreeMap::new()),
        text => text.map_err(Error::host(format!("cannot read the journal `{}`", path.display())))?,
    };
    let mut lines = text.split(|byte| *byte == b'\n');
    if let Some(Ok(Head { carthage, .. })) = lines.next().map(serde_json::from_slice)
        && carthage > FORMAT
    {
        let what = format!("the journal `{}` was written by a newer version of Carthage", path.display());
        return Err(Error::new(ErrorKind::Corrupt, what)
            .because(format!("it is of version {carthage}, and this version knows {FORMAT}"))
            .hint("build the layout with the newer version"));
    }
    let mut entries = BTreeMap::new();
    for any in lines.filter_map(|line| serde_json::from_slice::<Any>(line).ok()) {
        let Any { seq, begun, outcome } = any;
        match begun {
            Some(Begun { run, thing, action, begun }) => {
                entries.insert(seq, Entry { seq, run, thing, action, begun, outcome });
            }
            None => {
                entries.entry(seq).and_modify(|entry: &mut Entry| entry.outcome = outcome);
            }
        }
    }
    Ok(entries)
}

/// The entries in the file of a run that have no outcome there.
pub(super) fn unfinished(dirs: &Dirs, run: u64) -> Result<Vec<Entry>, Error> {
    Ok(read(dirs, run)?.into_values().filter(|entry| entry.outcome.is_none()).collect())
}

/// All entries in the files of runs after this one, as with [`read`].
pub(super) fn read_after(dirs: &Dirs, after: u64) -> Result<BTreeMap<u64, Entry>, Error> {
    let dir = dirs.state().join(DIR);
    let runs = numbers(&**dirs.storage(), &dir);
    let runs = runs.map_err(Error::host(format!("cannot read the journal in `{}`", dir.display())))?;
    let mut entries = BTreeMap::new();
    for run in runs.into_iter().filter(|run| *run > after) {
        entries.append(&mut read(dirs, run)?);
    }
    Ok(entries)
}

impl fmt::Debug for Entries {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Entries").field("dir", &self.dir).finish_non_exhaustive()
    }
}
