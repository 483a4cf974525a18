//! The stamps of a target, a machine or a model: one file of lines, of which the last about a task counts.
//!
//! Before a task's body starts, its stamp says "begun", so that whatever ends the body before its time — an error, a cancelled run, a
//! kill, a power cut — makes the task run again. Only what would keep it from running has to be durably gone for that: to write down
//! anything else waits for no disk, and what a power cut takes away of it makes a task run again.
//!
//! A line that is not whole at the end of the file was never relied upon. Behind any other that cannot be read, nothing before it says any
//! more that a task ran.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{self, ErrorKind as Io};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::stamp::{self, Damaged, Known, Last, Stamp};
use crate::crash::crash_point;
use crate::error::{Error, ErrorKind};
use crate::machine::engine::Identity;
use crate::state::dirs::make_dir;
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

/// The stamps of a machine or a model. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Stamps {
    of: Arc<Of>,
    in_layout: bool,
}

#[derive(Debug)]
struct Of {
    storage: Arc<dyn Storage>,
    dir: PathBuf,
    path: PathBuf,
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
struct Sheet {
    tasks: BTreeMap<String, Known>,
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
pub(crate) struct Held(Arc<Of>);

impl Drop for Held {
    fn drop(&mut self) {
        let mut kept = self.0.kept();
        kept.holders -= 1;
        kept.unless_held();
    }
}

impl Stamps {
    /// The stamps in `dir`, which is below the layout's cache directory, for the layout with this id: run numbers of another
    /// life of the layout mean nothing.
    #[must_use]
    pub fn new(storage: Arc<dyn Storage>, dir: PathBuf, layout: &str) -> Self {
        let (path, layout) = (dir.join(FILE), layout.to_owned());
        let of = Of {
            storage,
            dir,
            path,
            layout,
            kept: Mutex::default(),
            written: AtomicU64::new(0),
            synced: Mutex::new(0),
        };
        Self { of: Arc::new(of), in_layout: true }
    }

    /// The same, for tasks that are applied by hand and are none of the layout's.
    #[must_use]
    pub fn by_hand(&self) -> Self {
        Self { in_layout: false, ..self.clone() }
    }

    /// Keeps them in memory as long as the answer lives.
    pub(crate) fn hold(&self) -> Held {
        self.of.kept().holders += 1;
        Held(self.of.clone())
    }

    /// What is known of a task (`site.index`).
    #[must_use]
    pub fn read(&self, task: &str) -> Last {
        let last = self.of.with(|sheet| Ok(sheet.tasks.get(task).map(|known| known.last.clone())));
        last.map_or_else(|error| Last::Unreadable(error.to_string()), |last| last.unwrap_or(Last::Never))
    }

    /// The tasks of the layout that have left a stamp and are not among the `known`, in the order of their names. A stamp of another life
    /// of the layout, or of another version, says nothing.
    ///
    /// # Errors
    /// When the stamps cannot be looked at.
    pub fn of_tasks_gone(&self, known: &BTreeSet<String>) -> Result<Vec<String>, Error> {
        let is_gone = |(task, of): (&String, &Known)| {
            (of.last != Last::Never && of.in_layout && !known.contains(task)).then(|| task.clone())
        };
        let gone = self.of.with(|sheet| Ok(sheet.tasks.iter().filter_map(is_gone).collect()));
        gone.map_err(|error| {
            Error::host(format!("cannot read the stamps in `{}`", self.of.dir.display()))(error)
        })
    }

    /// Makes their directory, durably, if it is not there; and a file that has grown long short again.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn make_room(&self) -> Result<(), Error> {
        make_dir(&*self.of.storage, &self.of.dir)?;
        let shortened = self.of.with(|sheet| if sheet.is_long() { sheet.shorten(&self.of) } else { Ok(()) });
        shortened.map_err(|error| unwritable(&self.of.path, error))
    }

    /// Whether there is room for stamps.
    #[must_use]
    pub fn have_room(&self) -> bool {
        match &self.of.kept().sheet {
            Some(sheet) if sheet.is_long() => false,
            Some(sheet) if sheet.file.is_some() => true,
            _ => self.of.dir.is_dir(),
        }
    }

    /// The task is about to start: when this returns, no stamp says any more that it ran; durably if it is waited for the disk. It
    /// need not be where there is no such stamp, and nobody but the stamp is asked whether the task is done.
    ///
    /// # Errors
    /// When the stamp cannot be written; the body must not start then.
    pub fn begin(&self, task: &str, run: u64, target: &Identity, waits: bool) -> Result<(), Error> {
        self.write(task, Last::Begun(run, target.clone()), waits)
    }

    /// The task's body failed.
    ///
    /// # Errors
    /// When the stamp cannot be written; the task counts as interrupted then.
    pub fn failed(&self, task: &str, run: u64, target: &Identity, waits: bool) -> Result<(), Error> {
        self.write(task, Last::Failed(run, target.clone()), waits)
    }

    /// The task was not begun after all: its stamp is again what it was.
    ///
    /// # Errors
    /// When the stamp cannot be written; the task counts as interrupted then.
    pub fn as_before(&self, task: &str, last: &Last, waits: bool) -> Result<(), Error> {
        let is_done = matches!(last, Last::Ran(_));
        self.write(task, last.clone(), waits && !is_done)
    }

    /// The task ran to its end, or was found done. It does not wait for the disk: [`Stamps::sync`] does, for several.
    ///
    /// # Errors
    /// When the stamp cannot be written; the task counts as interrupted then.
    pub fn ran(&self, task: &str, stamp: Stamp) -> Result<(), Error> {
        self.write(task, Last::Ran(stamp), false)
    }

    /// Removes the stamps of these tasks, durably; none is no error.
    ///
    /// # Errors
    /// When they cannot be removed.
    pub fn remove(&self, tasks: &[String]) -> Result<(), Error> {
        let _held = self.hold();
        let mut is_known = false;
        for task in tasks {
            match self.of.with(|sheet| Ok(sheet.tasks.get(task).map(|known| known.last == Last::Never))) {
                Ok(None) => continue,
                Ok(Some(true)) => {}
                _ => self.write(task, Last::Never, false)?,
            }
            is_known = true;
        }
        // That one was removed before may not be durable yet.
        if is_known { self.sync() } else { Ok(()) }
    }

    /// Whether something was written that is not durable yet, as far as is kept in memory.
    pub(crate) fn are_unsynced(&self) -> bool {
        self.of.kept().sheet.as_ref().is_some_and(|sheet| sheet.is_unsynced)
    }

    /// Makes durable what was written.
    ///
    /// # Errors
    /// When it cannot be written to the disk.
    pub fn sync(&self) -> Result<(), Error> {
        let Of { storage, dir, path, written, synced, .. } = &*self.of;
        let mine = written.load(Ordering::SeqCst);
        let mut synced = synced.lock().unwrap_or_else(PoisonError::into_inner);
        if mine > 0 && *synced >= mine {
            return Ok(());
        }
        let all = written.load(Ordering::SeqCst);
        let sync = || {
            let (file, is_named) = self.of.with(|sheet| {
                sheet.is_unsynced = false;
                Ok((sheet.opened(&self.of)?, sheet.is_named))
            })?;
            // Others can write meanwhile.
            storage.sync(&file)?;
            if is_named { Ok(()) } else { storage.sync_dir(dir) }
        };
        let done = sync();
        match (&done, &mut self.of.kept().sheet) {
            (Ok(()), Some(sheet)) => sheet.is_named = true,
            (Err(_), Some(sheet)) => sheet.is_unsynced = true,
            (_, None) => {}
        }
        done.map_err(|error| unwritable(path, error))?;
        *synced = all;
        Ok(())
    }

    /// Removes all of them, when the machine is removed.
    ///
    /// # Errors
    /// When they cannot be removed.
    pub fn clear(&self) -> Result<(), Error> {
        let mut kept = self.of.kept();
        kept.sheet = None;
        gone(self.of.storage.remove_tree(&self.of.dir)).map_err(|error| unwritable(&self.of.dir, error))
    }

    fn write(&self, task: &str, last: Last, durable: bool) -> Result<(), Error> {
        let known = Known { last, in_layout: self.in_layout };
        let written = self.of.with(|sheet| sheet.write(&self.of, task, known));
        written.map_err(|error| unwritable(&self.of.path, error))?;
        if durable { self.sync() } else { Ok(()) }
    }
}

impl Of {
    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn with<T>(&self, work: impl FnOnce(&mut Sheet) -> io::Result<T>) -> io::Result<T> {
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
}

impl Kept {
    fn unless_held(&mut self) {
        if self.holders == 0 {
            self.sheet = None;
        }
    }
}

impl Sheet {
    fn read(of: &Of) -> io::Result<Self> {
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
    fn read_older(of: &Of) -> io::Result<Self> {
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
    fn opened(&mut self, of: &Of) -> io::Result<Arc<File>> {
        if let Some(file) = &self.file {
            return Ok(file.clone());
        }
        let file = Arc::new(of.storage.open(&of.path, Open::More)?);
        self.file = Some(file.clone());
        Ok(file)
    }

    fn write(&mut self, of: &Of, task: &str, known: Known) -> io::Result<()> {
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
    fn shorten(&mut self, of: &Of) -> io::Result<()> {
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
fn older(of: &Of) -> io::Result<Vec<String>> {
    let names = match of.storage.names(&of.dir) {
        Err(error) if error.kind() == Io::NotFound => return Ok(Vec::new()),
        names => names?,
    };
    // Other names than those of tasks are not stamps.
    let names = names.into_iter().filter_map(|name| name.into_string().ok());
    let is_stamp = |name: &String| !name.starts_with(['.', '@']) && of.dir.join(name).is_file();
    Ok(names.filter(is_stamp).collect())
}

fn unwritable(path: &Path, error: io::Error) -> Error {
    Error::new(ErrorKind::Host, format!("cannot write the stamps in `{}`", path.display()))
        .because(error)
        .hint(
            "make the cache directory writable for this user; removing it is safe and makes tasks run again",
        )
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::MetadataExt;

    use super::*;
    use crate::state::storage::usual;

    fn stamps() -> (tempfile::TempDir, Stamps) {
        let base = tempfile::tempdir().unwrap();
        let stamps = Stamps::new(usual(), base.path().join("algebra/mirror"), "aa");
        stamps.make_room().unwrap();
        (base, stamps)
    }

    /// As another process sees them.
    fn again(stamps: &Stamps, layout: &str) -> Stamps {
        Stamps::new(usual(), stamps.of.dir.clone(), layout)
    }

    fn target() -> Identity {
        Identity("m1".into())
    }

    fn stamp(run: u64) -> Stamp {
        let inputs = Some(crate::task::digest(&8080).keyed(&crate::state::HashKey::generate().unwrap()));
        let user = Some("web".into());
        Stamp { run, step: 1, at: 60, target: target(), inputs, source: u64::MAX, user }
    }

    #[test]
    fn one_after_another() {
        let (_base, stamps) = stamps();
        for is_held in [false, true] {
            let held = is_held.then(|| stamps.hold());
            assert_eq!(stamps.read("site.index"), Last::Never);
            stamps.remove(&["site.index".into()]).unwrap();
            stamps.begin("site.index", 3, &target(), false).unwrap();
            assert_eq!(stamps.read("site.index"), Last::Begun(3, target()));
            stamps.failed("site.index", 3, &target(), true).unwrap();
            assert_eq!(stamps.read("site.index"), Last::Failed(3, target()));
            let stamp = stamp(4);
            stamps.ran("site.index", stamp.clone()).unwrap();
            stamps.sync().unwrap();
            assert_eq!(stamp.to_string(), "run 4, 1970-01-01T00:01:00Z, as web");
            for seen in [&stamps, &again(&stamps, "aa")] {
                assert_eq!(seen.read("site.index"), Last::Ran(stamp.clone()));
                assert_eq!(seen.read("site.serve"), Last::Never);
            }
            let file = fs::metadata(&stamps.of.path).unwrap();
            assert_eq!(file.mode() & 0o777, 0o600);
            stamps.begin("site.index", 5, &target(), true).unwrap();
            stamps.as_before("site.index", &Last::Ran(stamp.clone()), false).unwrap();
            assert_eq!(again(&stamps, "aa").read("site.index"), Last::Ran(stamp));
            stamps.remove(&["site.index".into()]).unwrap();
            assert_eq!(again(&stamps, "aa").read("site.index"), Last::Never);
            drop(held);
            assert!(stamps.of.kept().sheet.is_none());
        }
        stamps.clear().unwrap();
        stamps.clear().unwrap();
        assert!(!stamps.of.dir.exists() && !stamps.have_room());
    }

    #[test]
    fn tasks_that_are_gone_are_known_by_their_stamps() {
        let (_base, stamps) = stamps();
        let gone = |known: &[&str]| stamps.of_tasks_gone(&known.iter().map(|s| (*s).to_owned()).collect());
        assert_eq!(gone(&[]).unwrap(), Vec::<String>::new());
        stamps.ran("site.serve", stamp(1)).unwrap();
        stamps.begin("site.index", 1, &target(), false).unwrap();
        stamps.by_hand().ran("extra.serve", stamp(1)).unwrap();
        stamps.ran("was", stamp(1)).unwrap();
        stamps.remove(&["was".into()]).unwrap();
        assert_eq!(gone(&[]).unwrap(), ["site.index", "site.serve"]);
        assert_eq!(gone(&["site.index"]).unwrap(), ["site.serve"]);
        assert_eq!(again(&stamps, "bb").of_tasks_gone(&BTreeSet::new()).unwrap(), Vec::<String>::new());
        fs::remove_file(&stamps.of.path).unwrap();
        fs::create_dir(&stamps.of.path).unwrap();
        let error = gone(&[]).unwrap_err();
        assert!(error.to_string().starts_with("cannot read the stamps in `"), "{error}");
        assert!(matches!(stamps.read("site.serve"), Last::Unreadable(_)));
    }

    #[test]
    fn what_cannot_be_read_makes_all_before_it_unusable_and_what_is_not_whole_nothing() {
        let (_base, stamps) = stamps();
        stamps.ran("t", stamp(1)).unwrap();
        let good = fs::read(&stamps.of.path).unwrap();
        stamps.ran("u", stamp(1)).unwrap();
        let both = fs::read(&stamps.of.path).unwrap();
        let second = &both[good.len()..];
        let read = |text: &[u8]| {
            fs::write(&stamps.of.path, text).unwrap();
            ["t", "u"].map(|task| matches!(stamps.read(task), Last::Ran(_)))
        };
        assert_eq!(read(&both), [true, true]);
        for torn in ["", "{", "\0\0\0", "[]", std::str::from_utf8(&second[..second.len() - 1]).unwrap()] {
            assert_eq!(read(&[&good, torn.as_bytes()].concat()), [true, false], "{torn}");
            // It is not there any more for who writes on it.
            stamps.ran("u", stamp(2)).unwrap();
            assert!(matches!(again(&stamps, "aa").read("u"), Last::Ran(stamp) if stamp.run == 2), "{torn}");
            assert!(matches!(stamps.read("t"), Last::Ran(_)), "{torn}");
        }
        // What was begun is not taken for done, whatever is behind it.
        stamps.begin("t", 3, &target(), true).unwrap();
        let begun = fs::read(&stamps.of.path).unwrap();
        for after in [&b"\0\0\0\n"[..], b"{\n"] {
            read(&[&begun, after, second].concat());
            assert_eq!(stamps.read("t"), Last::Begun(3, target()));
        }
        for bad in ["", "{", "\0\0\0", "[]"] {
            let text = [&good, bad.as_bytes(), b"\n", second].concat();
            assert_eq!(read(&text), [false, true], "{bad}");
            assert_eq!(stamps.read("t"), Last::Unreadable("it is damaged".into()));
        }
        // One of a later version tells of which task it is.
        let newer = String::from_utf8(second.to_vec()).unwrap();
        for newer in [newer.replace("\"ran\"", "\"elsewhere\""), newer] {
            let newer = newer.replace("\"version\":2", "\"version\":3");
            assert_eq!(read(&[&good, newer.as_bytes()].concat()), [true, false]);
            assert_eq!(stamps.read("u"), Last::Unreadable("it is of another version".into()));
        }
        read(&both);
        let other = again(&stamps, "bb");
        assert!(matches!(other.read("t"), Last::Unreadable(why) if why.contains("from before")));
    }

    #[test]
    fn a_file_that_has_grown_long_is_made_short_and_says_the_same() {
        let (_base, stamps) = stamps();
        fs::write(&stamps.of.path, "damaged\n").unwrap();
        for run in 0..200 {
            stamps.begin("t", run, &target(), false).unwrap();
        }
        stamps.ran("u", stamp(1)).unwrap();
        again(&stamps, "bb").begin("v", 1, &target(), false).unwrap();
        stamps.remove(&["u".into()]).unwrap();
        let says = |stamps: &Stamps| ["t", "u", "v"].map(|task| stamps.read(task));
        let (before, lines) =
            (says(&stamps), || fs::read_to_string(&stamps.of.path).unwrap().lines().count());
        assert_eq!((&before[0], &before[1], lines()), (&Last::Begun(199, target()), &Last::Never, 204));
        let _held = stamps.hold();
        assert!(stamps.read("t") == before[0] && !stamps.have_room());
        stamps.make_room().unwrap();
        assert_eq!((says(&stamps), lines(), stamps.have_room()), (before.clone(), 2, true));
        stamps.begin("u", 2, &target(), true).unwrap();
        assert_eq!(
            (says(&again(&stamps, "aa")), lines()),
            ([before[0].clone(), Last::Begun(2, target()), before[2].clone()], 3)
        );
        assert_eq!(fs::read_dir(&stamps.of.dir).unwrap().count(), 1);
    }

    #[test]
    fn files_of_the_first_version_become_one() {
        let (_base, stamps) = stamps();
        let first = |state: &str| format!("{{\"version\":1,\"layout\":\"aa\",\"in_layout\":true,{state}}}");
        let write = |task: &str, text: &str| fs::write(stamps.of.dir.join(task), text).unwrap();
        write("a", &first("\"state\":\"ran\",\"run\":3,\"target\":\"m1\",\"inputs\":null,\"source\":7"));
        write("b", &first("\"state\":\"begun\",\"run\":4,\"target\":\"m1\""));
        write("c", "{");
        write(".a.new", "{");
        let ran = Stamp { run: 3, step: 0, at: 0, target: target(), inputs: None, source: 7, user: None };
        let said =
            [Last::Ran(ran), Last::Begun(4, target()), Last::Unreadable("it is damaged".into()), Last::Never];
        let says = |stamps: &Stamps| ["a", "b", "c", "d"].map(|task| stamps.read(task));
        assert_eq!(says(&stamps), said);
        assert_eq!(stamps.of_tasks_gone(&BTreeSet::new()).unwrap(), ["a", "b"]);
        // Whoever only looks changes nothing.
        assert_eq!(fs::read_dir(&stamps.of.dir).unwrap().count(), 4);
        stamps.begin("d", 5, &target(), false).unwrap();
        assert_eq!(
            says(&again(&stamps, "aa")),
            [said[0].clone(), said[1].clone(), said[2].clone(), Last::Begun(5, target())]
        );
        assert_eq!(fs::read_dir(&stamps.of.dir).unwrap().count(), 2);
    }
}
