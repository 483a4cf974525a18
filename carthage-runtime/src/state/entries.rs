//! The journal's file of a run: what is announced, and how it ends, line by line.
//!
//! To add a line costs a fraction of a transaction, and there are many: one for each task. What an outcome means to the record of what
//! exists is in the store, in one transaction with the outcome. A run begins with what runs before it left unfinished in the store, so
//! whoever reads needs the file of the last run at most, and of that only if it was not ended in order.
//!
//! Lines that come at the same time become durable together, as in [`commits`](super::commits). If they cannot be written, each who waits
//! is told. What was announced with them is not begun then, and nobody will end it: that it has failed is written instead, for part of
//! the lines may be in the file. Outcomes are written with the next lines, which may be a second time.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::fs::File;
use std::io::{self, ErrorKind as Io};
use std::mem::take;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use serde::{Deserialize, Serialize};

use super::commits::not_written;
use super::dirs::{Dirs, make_dir, unusable};
use super::journal::{Entry, Outcome};
use super::storage::{Open, Storage, directory, gone};
use crate::crash::crash_point;
use crate::error::{Error, ErrorKind};

/// The directory of the files, in that of the layout.
pub(super) const DIR: &str = "journal";
/// The version of the files: that of everything that is written as JSON.
const FORMAT: u32 = 1;

/// What a disk takes, in microseconds, that is quick: about as long as it takes to have another thread do something.
const QUICK: u64 = 50;

/// Who is told that a line is durable.
pub(super) type Tell = Box<dyn FnOnce(Result<(), Error>) + Send>;

/// Somebody, and what is to be told.
pub(super) type Told = (Tell, Result<(), Error>);

/// The journal's file of the run that goes on.
pub(super) struct Entries {
    storage: Arc<dyn Storage>,
    dir: PathBuf,
    run: AtomicU64,
    /// How long it took to write to it the last time, in microseconds; at first, longer than anything.
    took: AtomicU64,
    /// What is quick, in microseconds.
    quick: AtomicU64,
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
    /// What is announced and to be written, and its numbers.
    begun: Vec<u8>,
    announced: Vec<u64>,
    /// What has ended and is to be written; behind what is announced, and for the rest in no order.
    ended: Vec<u8>,
    tell: Vec<Tell>,
    /// Whether somebody is writing, who takes these in.
    is_written: bool,
}

struct Written {
    file: File,
    /// Whether it has a head, and a name that a power cut leaves it.
    named: bool,
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
            took: AtomicU64::new(u64::MAX),
            quick: AtomicU64::new(QUICK),
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

    /// Announces an entry, if a run goes on; answers whether one does. Whoever calls this has to see to it that what is in line gets
    /// [written](Self::write), if that [begins](Self::begins).
    pub(super) fn announce(&self, entry: &Entry, tell: Tell) -> Result<bool, Error> {
        let mut line = self.line();
        if line.goes_on {
            add(&mut line.begun, entry)?;
            line.announced.push(entry.seq);
            line.open.insert(entry.seq, entry.clone());
            line.tell.push(tell);
        }
        Ok(line.goes_on)
    }

    /// Waits for what is in line, if there is anything; otherwise like [`announce`](Self::announce).
    pub(super) fn catch_up(&self, tell: Tell) {
        self.line().tell.push(tell);
    }

    /// An entry has ended; otherwise like [`announce`](Self::announce).
    pub(super) fn end(&self, seq: u64, outcome: &Outcome, tell: Tell) -> Result<(), Error> {
        let mut line = self.line();
        line.end(seq, outcome)?;
        line.tell.push(tell);
        Ok(())
    }

    /// Whether somebody waits for what is in line, and nobody writes it yet: who asks does.
    pub(super) fn begins(&self) -> bool {
        let mut line = self.line();
        !line.tell.is_empty() && !std::mem::replace(&mut line.is_written, true)
    }

    /// An entry has ended, which is written with the next line.
    pub(super) fn end_later(&self, seq: u64, outcome: &Outcome) -> Result<(), Error> {
        self.line().end(seq, outcome)
    }

    /// Whether the disk is so quick that another thread need not wait for it.
    pub(super) fn are_quick(&self) -> bool {
        self.took.load(Ordering::Relaxed) < self.quick.load(Ordering::Relaxed)
    }

    #[cfg(test)]
    pub(super) fn quick_is(&self, microseconds: u64) {
        self.quick.store(microseconds, Ordering::Relaxed);
    }

    /// Writes all that is in line, durably; answers who is to be told of it, and whether nobody has come since.
    pub(super) fn write(&self) -> (Vec<Told>, bool) {
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        let (begun, announced, ended, tell) = {
            let Line { begun, announced, ended, tell, .. } = &mut *self.line();
            (take(begun), take(announced), take(ended), take(tell))
        };
        let is_nothing = begun.is_empty() && ended.is_empty();
        let written = if is_nothing { Ok(()) } else { self.write_to(&mut file, [&*begun, &ended].concat()) };
        let mut line = self.line();
        if let Err(error) = &written {
            line.take_back(&announced, ended, error);
        }
        line.is_written = !line.tell.is_empty();
        let is_over = !line.is_written;
        drop(line);
        let mut all = Vec::with_capacity(tell.len());
        for tell in tell {
            let again = written.as_ref().map_or_else(|error| Err(not_written(error)), |()| Ok(()));
            all.push((tell, again));
        }
        if let (Err(error), Some((_, first))) = (written, all.first_mut()) {
            *first = Err(error);
        }
        (all, is_over)
    }

    fn write_to(&self, file: &mut Option<Written>, lines: Vec<u8>) -> Result<(), Error> {
        let run = self.run.load(Ordering::SeqCst);
        let path = path(&self.dir, run);
        crash_point("journal-unwritten");
        let written = match file {
            Some(written) => written,
            None => {
                make_dir(&*self.storage, &self.dir)?;
                let begun = self.storage.open(&path, Open::More).map_err(unusable(&path))?;
                file.insert(Written { file: begun, named: false, torn: false })
            }
        };
        let mut bytes = if written.torn { b"\n".to_vec() } else { Vec::new() };
        if !written.named {
            add(&mut bytes, &Head { carthage: FORMAT, run })?;
        }
        bytes.extend(lines);
        written.torn = true;
        let append = || {
            self.storage.append(&written.file, &bytes)?;
            self.storage.sync(&written.file)?;
            if written.named {
                return Ok(());
            }
            self.storage.sync_dir(&self.dir)?;
            // Whoever made the directory may have died before its name was durable.
            self.storage.sync_dir(directory(&self.dir))
        };
        let since = Instant::now();
        // What to say of a failure is put together only if there is one.
        append().map_err(|error| unusable(&path)(error))?;
        self.took.store(u64::try_from(since.elapsed().as_micros()).unwrap_or(u64::MAX), Ordering::Relaxed);
        (written.named, written.torn) = (true, false);
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
    fn end(&mut self, seq: u64, outcome: &Outcome) -> Result<(), Error> {
        add(&mut self.ended, &End { seq, outcome })?;
        self.open.remove(&seq);
        Ok(())
    }

    /// These lines could not be written, as those who wait are told.
    fn take_back(&mut self, announced: &[u64], ended: Vec<u8>, error: &Error) {
        self.ended.splice(..0, ended);
        let outcome = Outcome::Failed(format!("it was not begun: {}", crate::chain(error)));
        for seq in announced {
            // Nobody ends it. What cannot be said in JSON stays open, which the next run can bear.
            self.end(*seq, &outcome).map_err(|error| tracing::warn!(%error, "the journal")).ok();
        }
    }
}

/// Adds a line.
fn add(bytes: &mut Vec<u8>, what: &impl Serialize) -> Result<(), Error> {
    let before = bytes.len();
    if let Err(error) = serde_json::to_writer(&mut *bytes, what) {
        bytes.truncate(before);
        return Err(unspeakable(error));
    }
    bytes.push(b'\n');
    Ok(())
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
    let lines = text.split(|byte| *byte == b'\n');
    // The first line, unless it could not be written at once.
    if let Some(Head { carthage, .. }) = lines.clone().find_map(|line| serde_json::from_slice(line).ok())
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

/// The entries in the file of a run that have no outcome there, and the highest number of all.
pub(super) fn unfinished(dirs: &Dirs, run: u64) -> Result<(Vec<Entry>, u64), Error> {
    let entries = read(dirs, run)?;
    let highest = entries.last_key_value().map_or(0, |(seq, _)| *seq);
    Ok((entries.into_values().filter(|entry| entry.outcome.is_none()).collect(), highest))
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
