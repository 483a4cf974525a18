//! The file of the stamps of a target, and what is kept of it in memory.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, ErrorKind as Io};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::stamp::{self, Damaged, Known, Last};
use crate::crash::crash_point;
use crate::state::storage::{Open, Storage, gone};

/// The file, in a directory of the target's. In the first version there was one for each task instead, called like it.
const FILE: &str = "@stamps.ndjson";
/// The name under which it is written as a whole.
const SCRATCH: &str = ".stamps.new";
/// It is written as a whole again once it has so many lines for each that counts, and some.
const LINES_EACH: usize = 8;
const AND_SOME: usize = 64;

/// How long a line is, about, in bytes.
const ABOUT: usize = 320;

const DAMAGED: &str = "it is damaged";

/// The file, and what is kept of it.
#[derive(Debug)]
pub(super) struct OnDisk {
    pub(super) storage: Arc<dyn Storage>,
    /// The directory of the target's.
    pub(super) dir: PathBuf,
    pub(super) path: PathBuf,
    layout: String,
    kept: Mutex<Kept>,
    /// How much was written, and how much of that when what is durable was written last: those who come together wait once.
    written: AtomicU64,
    synced: Mutex<u64>,
}

/// What is kept of the file as long as somebody wants that.
#[derive(Debug, Default)]
struct Kept {
    holders: usize,
    sheet: Option<Sheet>,
}

/// What is in the file.
#[derive(Debug, Default)]
pub(super) struct Sheet {
    pub(super) tasks: BTreeMap<String, Known>,
    lines: usize,
    /// How much of the file can be read; what is behind that is not whole.
    whole: u64,
    is_torn: bool,
    /// To write on it, if that was done.
    file: Option<Arc<File>>,
    /// Whether a power cut leaves it its name.
    is_named: bool,
    /// Whether something was written since it was synced.
    is_unsynced: bool,
    /// Whether there is none, but files of the first version.
    is_older: bool,
}

/// Keeps what is in the file in memory, for who asks more than once. Nobody else writes to it as long as this process has the layout.
#[derive(Debug)]
pub(crate) struct Held(Arc<OnDisk>);

impl Held {
    pub(super) fn of(of: &Arc<OnDisk>) -> Self {
        of.kept().holders += 1;
        Self(of.clone())
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let mut kept = self.0.kept();
        kept.holders -= 1;
        kept.unless_held();
    }
}

impl OnDisk {
    pub(super) fn new(storage: Arc<dyn Storage>, dir: PathBuf, layout: &str) -> Self {
        let (path, layout) = (dir.join(FILE), layout.to_owned());
        let (kept, written, synced) = (Mutex::default(), AtomicU64::new(0), Mutex::new(0));
        Self { storage, dir, path, layout, kept, written, synced }
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does something with what is in the file.
    pub(super) fn with<T>(&self, work: impl FnOnce(&mut Sheet) -> io::Result<T>) -> io::Result<T> {
        let mut kept = self.kept();
        let sheet = match &mut kept.sheet {
            Some(sheet) => sheet,
            none => none.insert(Sheet::read(self)?),
        };
        let answer = work(sheet);
        if answer.is_err() {
            // Whatever has become of it is read again.
            kept.sheet = None;
        }
        kept.unless_held();
        answer
    }

    /// Says this of a task. It waits for no disk.
    pub(super) fn write(&self, task: &str, known: Known) -> io::Result<()> {
        self.with(|sheet| sheet.write(self, task, known))
    }

    /// Makes a file short that has grown long.
    pub(super) fn make_short(&self) -> io::Result<()> {
        self.with(|sheet| if sheet.is_long() { sheet.shorten(self) } else { Ok(()) })
    }

    /// Whether there is a directory, and no file that has grown long.
    pub(super) fn has_room(&self) -> bool {
        match &self.kept().sheet {
            Some(sheet) if sheet.is_long() => false,
            Some(sheet) if sheet.file.is_some() => true,
            _ => self.dir.is_dir(),
        }
    }

    /// Whether something was written that is not durable yet, as far as is kept in memory.
    pub(super) fn is_unsynced(&self) -> bool {
        self.kept().sheet.as_ref().is_some_and(|sheet| sheet.is_unsynced)
    }

    /// Whether this process has written anything.
    pub(super) fn is_written(&self) -> bool {
        self.written.load(Ordering::SeqCst) > 0
    }

    /// Makes durable what was written.
    pub(super) fn sync(&self) -> io::Result<()> {
        let Self { storage, dir, written, synced, .. } = self;
        let mine = written.load(Ordering::SeqCst);
        let mut synced = synced.lock().unwrap_or_else(PoisonError::into_inner);
        if mine > 0 && *synced >= mine {
            return Ok(());
        }
        let all = written.load(Ordering::SeqCst);
        let sync = || {
            let (file, is_named) = self.with(|sheet| {
                sheet.is_unsynced = false;
                Ok((sheet.opened(self)?, sheet.is_named))
            })?;
            // Others can write meanwhile.
            storage.sync(&file)?;
            if is_named { Ok(()) } else { storage.sync_dir(dir) }
        };
        let done = sync();
        match (&done, &mut self.kept().sheet) {
            (Ok(()), Some(sheet)) => sheet.is_named = true,
            (Err(_), Some(sheet)) => sheet.is_unsynced = true,
            (_, None) => {}
        }
        done?;
        *synced = all;
        Ok(())
    }

    #[cfg(test)]
    pub(super) fn is_kept(&self) -> bool {
        self.kept().sheet.is_some()
    }

    /// Removes it with its directory.
    pub(super) fn clear(&self) -> io::Result<()> {
        let mut kept = self.kept();
        kept.sheet = None;
        gone(self.storage.remove_tree(&self.dir))
    }
}

impl Kept {
    fn unless_held(&mut self) {
        if self.holders == 0 {
            self.sheet = None;
        }
    }
}

impl Sheet {
    fn read(of: &OnDisk) -> io::Result<Self> {
        let text = match of.storage.read(&of.path) {
            Err(error) if error.kind() == Io::NotFound => return Self::read_older(of),
            text => text?,
        };
        let mut sheet = Self::default();
        for line in text.split_inclusive(|byte| *byte == b'\n') {
            let Some(line) = line.strip_suffix(b"\n") else {
                sheet.is_torn = true;
                break;
            };
            sheet.whole += line.len() as u64 + 1;
            sheet.lines += 1;
            match stamp::read(line, &of.layout) {
                Ok((task, known)) => match sheet.tasks.get_mut(&*task) {
                    Some(before) => *before = known,
                    None => drop(sheet.tasks.insert(task.into_owned(), known)),
                },
                Err(Damaged) => sheet.doubt(),
            }
        }
        Ok(sheet)
    }

    /// Nobody knows any more whether what ran has not begun again.
    fn doubt(&mut self) {
        // What was begun or has failed runs again anyhow, and must not be taken for done because a check says so.
        for known in self.tasks.values_mut().filter(|known| matches!(known.last, Last::Ran(_))) {
            known.last = Last::Unreadable(DAMAGED.to_owned());
        }
    }

    /// From files of the first version.
    fn read_older(of: &OnDisk) -> io::Result<Self> {
        let mut sheet = Self::default();
        for name in older(of)? {
            let text = match of.storage.read(&of.dir.join(&name)) {
                // Somebody has just taken them over.
                Err(error) if error.kind() == Io::NotFound => return Self::read(of),
                text => text?,
            };
            let known = stamp::read(&text, &of.layout).map_or_else(
                |Damaged| Known { last: Last::Unreadable(DAMAGED.to_owned()), in_layout: false },
                |(_, known)| known,
            );
            sheet.tasks.insert(name, known);
            sheet.is_older = true;
        }
        Ok(sheet)
    }

    fn is_long(&self) -> bool {
        self.lines > AND_SOME + LINES_EACH * self.tasks.len()
    }

    /// The file, to be written on.
    fn opened(&mut self, of: &OnDisk) -> io::Result<Arc<File>> {
        if let Some(file) = &self.file {
            return Ok(file.clone());
        }
        let file = Arc::new(of.storage.open(&of.path, Open::More)?);
        self.file = Some(file.clone());
        Ok(file)
    }

    fn write(&mut self, of: &OnDisk, task: &str, known: Known) -> io::Result<()> {
        if self.is_older {
            self.shorten(of)?;
        }
        let mut line = Vec::with_capacity(ABOUT);
        stamp::write(&mut line, &of.layout, task, &known)?;
        let file = self.opened(of)?;
        if self.is_torn {
            of.storage.set_len(&file, self.whole)?;
        }
        (self.is_torn, self.is_unsynced) = (true, true);
        crash_point("stamp-unwritten");
        of.storage.append(&file, &line)?;
        crash_point("stamp-written");
        self.is_torn = false;
        of.written.fetch_add(1, Ordering::SeqCst);
        self.whole += line.len() as u64;
        self.lines += 1;
        match self.tasks.get_mut(task) {
            Some(before) => *before = known,
            None => drop(self.tasks.insert(task.to_owned(), known)),
        }
        Ok(())
    }

    /// Writes it as a whole, durably, with a line for each stamp.
    fn shorten(&mut self, of: &OnDisk) -> io::Result<()> {
        self.tasks.retain(|_, known| known.last != Last::Never);
        let mut text = Vec::new();
        for (task, known) in &self.tasks {
            stamp::write(&mut text, &of.layout, task, known)?;
        }
        of.storage.write_whole(&of.path, &of.dir.join(SCRATCH), &text, true)?;
        if self.is_older {
            // Nobody reads them any more, whatever a power cut leaves of them.
            older(of)?.iter().try_for_each(|name| gone(of.storage.remove(&of.dir.join(name))))?;
            of.storage.sync_dir(&of.dir)?;
        }
        let tasks = std::mem::take(&mut self.tasks);
        of.written.fetch_add(1, Ordering::SeqCst);
        *self =
            Self { lines: tasks.len(), tasks, whole: text.len() as u64, is_named: true, ..Self::default() };
        Ok(())
    }
}

/// The names of stamps of the first version.
fn older(of: &OnDisk) -> io::Result<Vec<String>> {
    let names = match of.storage.names(&of.dir) {
        Err(error) if error.kind() == Io::NotFound => return Ok(Vec::new()),
        names => names?,
    };
    // Other names than those of tasks are not stamps.
    let names = names.into_iter().filter_map(|name| name.into_string().ok());
    let is_stamp = |name: &String| !name.starts_with(['.', '@']) && of.dir.join(name).is_file();
    Ok(names.filter(is_stamp).collect())
}
