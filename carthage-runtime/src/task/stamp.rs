//! Stamps: one small file per task and target, which tells how the task ended there.
//!
//! A stamp is replaced atomically. Before a task's body starts, its stamp says "begun", so that whatever ends the body before its
//! time — an error, a cancelled run, a kill, a power cut — makes the task run again. Only what would keep it from running has to be
//! durably gone for that: to write down anything else waits for no disk, and what a power cut takes away of it makes a task run again.

use std::collections::BTreeSet;
use std::fmt;
use std::io::ErrorKind as Io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};

use super::hash::InputHash;
use crate::error::{Error, ErrorKind};
use crate::machine::engine::Identity;
use crate::state::dirs::make_dir;
use crate::state::storage::{Open, Storage, gone};

/// The version of the files.
const FORMAT: u64 = 1;

/// What a task left behind when it ran to its end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stamp {
    /// The run in which it ran.
    pub run: u64,
    /// In which order tasks ended in that run.
    #[serde(default)]
    pub step: u64,
    /// When it ended, in seconds since 1970. For people: no decision looks at it.
    #[serde(default)]
    pub at: u64,
    /// The machine on which it ran.
    pub target: Identity,
    /// The hash of its inputs, if it has any.
    pub inputs: Option<InputHash>,
    /// The hash of its source.
    pub source: u64,
    /// As whom it ran; root if absent.
    #[serde(default)]
    pub user: Option<String>,
}

impl Stamp {
    /// When it ended, by the clock of the controller.
    #[must_use]
    pub fn time(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(self.at)
    }
}

impl fmt::Display for Stamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let time = humantime::format_rfc3339_seconds(self.time());
        write!(f, "run {}, {time}, as {}", self.run, self.user.as_deref().unwrap_or("root"))
    }
}

/// What is known of a task's last time on its target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Last {
    /// There is no stamp.
    Never,
    /// There is one that cannot be used, for this reason.
    Unreadable(String),
    /// It was begun in this run, on this machine, and did not end.
    Begun(u64, Identity),
    /// It failed in this run, on this machine.
    Failed(u64, Identity),
    /// It ran to its end.
    Ran(Stamp),
}

#[derive(Serialize, Deserialize)]
struct Contents {
    version: u64,
    layout: String,
    /// Whether the task was the layout's, and not applied by hand.
    #[serde(default)]
    in_layout: bool,
    #[serde(flatten)]
    state: State,
}

#[derive(Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "kebab-case")]
enum State {
    Begun { run: u64, target: Identity },
    Failed { run: u64, target: Identity },
    Ran(Stamp),
}

/// The stamps of one machine.
#[derive(Clone, Debug)]
pub struct Stamps {
    storage: Arc<dyn Storage>,
    dir: PathBuf,
    layout: String,
    in_layout: bool,
}

impl Stamps {
    /// The stamps in `dir`, which is below the layout's cache directory, for the layout with this id: run numbers of another
    /// life of the layout mean nothing.
    #[must_use]
    pub fn new(storage: Arc<dyn Storage>, dir: PathBuf, layout: &str) -> Self {
        Self { storage, dir, layout: layout.to_owned(), in_layout: true }
    }

    /// The same, for tasks that are applied by hand and are none of the layout's.
    #[must_use]
    pub fn by_hand(&self) -> Self {
        Self { in_layout: false, ..self.clone() }
    }

    fn path(&self, task: &str) -> PathBuf {
        self.dir.join(task)
    }

    /// What is known of a task (`site.index`).
    #[must_use]
    pub fn read(&self, task: &str) -> Last {
        let text = match self.storage.read(&self.path(task)) {
            Ok(text) => text,
            Err(error) if error.kind() == Io::NotFound => return Last::Never,
            Err(error) => return Last::Unreadable(error.to_string()),
        };
        match self.understand(&text) {
            Err(why) => Last::Unreadable(why.to_owned()),
            Ok(Contents { state: State::Begun { run, target }, .. }) => Last::Begun(run, target),
            Ok(Contents { state: State::Failed { run, target }, .. }) => Last::Failed(run, target),
            Ok(Contents { state: State::Ran(stamp), .. }) => Last::Ran(stamp),
        }
    }

    fn understand(&self, text: &[u8]) -> Result<Contents, &'static str> {
        let contents: Contents =
            serde_json::from_slice(text).map_err(|_| "it is damaged, or of another version")?;
        if contents.version != FORMAT {
            return Err("it is of another version");
        }
        if contents.layout != self.layout {
            return Err("it is from before the layout's state was lost or destroyed");
        }
        Ok(contents)
    }

    /// The tasks of the layout that have left a stamp and are not among the `known`, in the order of their names. A stamp that
    /// cannot be used says nothing.
    ///
    /// # Errors
    /// When the stamps cannot be looked at.
    pub fn of_tasks_gone(&self, known: &BTreeSet<String>) -> Result<Vec<String>, Error> {
        let names = match self.storage.names(&self.dir) {
            Err(error) if error.kind() == Io::NotFound => return Ok(Vec::new()),
            names => names.map_err(unreadable(&self.dir))?,
        };
        let mut gone = Vec::new();
        // Other names than those of tasks are not stamps.
        for name in names.into_iter().filter_map(|name| name.into_string().ok()) {
            if name.starts_with('.') || known.contains(&name) {
                continue;
            }
            let path = self.path(&name);
            if !path.is_file() {
                continue;
            }
            let text = self.storage.read(&path).map_err(unreadable(&path))?;
            if self.understand(&text).is_ok_and(|contents| contents.in_layout) {
                gone.push(name);
            }
        }
        gone.sort_unstable();
        Ok(gone)
    }

    /// Makes their directory, durably, if it is not there.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn make_room(&self) -> Result<(), Error> {
        make_dir(&*self.storage, &self.dir).map(drop)
    }

    /// Whether there is room for stamps.
    #[must_use]
    pub fn have_room(&self) -> bool {
        self.dir.is_dir()
    }

    /// The task is about to start: when this returns, no stamp says any more that it ran; durably if it is waited for the disk. It
    /// need not be where there is no such stamp, and nobody but the stamp is asked whether the task is done.
    ///
    /// # Errors
    /// When the stamp cannot be written; the body must not start then.
    pub fn begin(&self, task: &str, run: u64, target: &Identity, waits: bool) -> Result<(), Error> {
        self.write(task, State::Begun { run, target: target.clone() }, waits)
    }

    /// The task's body failed.
    ///
    /// # Errors
    /// When the stamp cannot be written; the task counts as interrupted then.
    pub fn failed(&self, task: &str, run: u64, target: &Identity, waits: bool) -> Result<(), Error> {
        self.write(task, State::Failed { run, target: target.clone() }, waits)
    }

    /// The task was not begun after all: its stamp is again what it was.
    ///
    /// # Errors
    /// When the stamp cannot be written; the task counts as interrupted then.
    pub fn as_before(&self, task: &str, last: &Last, waits: bool) -> Result<(), Error> {
        match last {
            Last::Ran(stamp) => self.ran(task, stamp.clone()),
            Last::Begun(run, target) => self.begin(task, *run, target, waits),
            Last::Failed(run, target) => self.failed(task, *run, target, waits),
            Last::Never | Last::Unreadable(_) => self.remove(task),
        }
    }

    /// The task ran to its end, or was found done. It does not wait for the disk: [`Stamps::sync`] does, for several.
    ///
    /// # Errors
    /// When the stamp cannot be written; the task counts as interrupted then.
    pub fn ran(&self, task: &str, stamp: Stamp) -> Result<(), Error> {
        self.write(task, State::Ran(stamp), false)
    }

    /// Makes the stamps of these tasks durable.
    ///
    /// # Errors
    /// When they cannot be written to the disk.
    pub fn sync(&self, tasks: &[String]) -> Result<(), Error> {
        let sync = |task: &String| {
            let path = self.path(task);
            let synced = self.storage.open(&path, Open::Read).and_then(|file| self.storage.sync(&file));
            synced.map_err(unwritable(&path))
        };
        tasks.iter().try_for_each(sync)?;
        self.storage.sync_dir(&self.dir).map_err(unwritable(&self.dir))
    }

    /// Removes a task's stamp, durably; none is no error.
    ///
    /// # Errors
    /// When it cannot be removed.
    pub fn remove(&self, task: &str) -> Result<(), Error> {
        let removed = self.storage.remove(&self.path(task)).and_then(|()| self.storage.sync_dir(&self.dir));
        gone(removed).map_err(unwritable(&self.path(task)))
    }

    /// Removes all of them, when the machine is removed.
    ///
    /// # Errors
    /// When they cannot be removed.
    pub fn clear(&self) -> Result<(), Error> {
        gone(self.storage.remove_tree(&self.dir)).map_err(unwritable(&self.dir))
    }

    fn write(&self, task: &str, state: State, durable: bool) -> Result<(), Error> {
        let contents =
            Contents { version: FORMAT, layout: self.layout.clone(), in_layout: self.in_layout, state };
        let path = self.path(task);
        // A fixed name: what a killed process leaves is overwritten. Only the holder of the layout's lock writes here.
        let new = self.dir.join(format!(".{task}.new"));
        let text = serde_json::to_vec(&contents).map_err(std::io::Error::from);
        text.and_then(|text| self.storage.write_whole(&path, &new, &text, durable)).map_err(unwritable(&path))
    }
}

fn unreadable(path: &Path) -> impl FnOnce(std::io::Error) -> Error {
    Error::host(format!("cannot read the stamps in `{}`", path.display()))
}

fn unwritable(path: &Path) -> impl FnOnce(std::io::Error) -> Error {
    let what = format!("cannot write the stamp `{}`", path.display());
    move |error| {
        Error::new(ErrorKind::Host, what).because(error).hint(
            "make the cache directory writable for this user; removing it is safe and makes tasks run again",
        )
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::MetadataExt;

    use super::*;

    fn stamps() -> (tempfile::TempDir, Stamps) {
        let base = tempfile::tempdir().unwrap();
        let stamps = Stamps::new(crate::state::storage::usual(), base.path().join("algebra/mirror"), "aa");
        stamps.make_room().unwrap();
        (base, stamps)
    }

    fn stamp(run: u64) -> Stamp {
        let inputs = Some(crate::task::digest(&8080).keyed(&crate::state::HashKey::generate().unwrap()));
        let user = Some("web".into());
        Stamp { run, step: 1, at: 60, target: Identity("m1".into()), inputs, source: u64::MAX, user }
    }

    #[test]
    fn one_after_another() {
        let (_base, stamps) = stamps();
        let target = Identity("m1".into());
        assert_eq!(stamps.read("site.index"), Last::Never);
        stamps.remove("site.index").unwrap();
        stamps.begin("site.index", 3, &target, false).unwrap();
        assert_eq!(stamps.read("site.index"), Last::Begun(3, target.clone()));
        stamps.failed("site.index", 3, &target, true).unwrap();
        assert_eq!(stamps.read("site.index"), Last::Failed(3, target));
        let stamp = stamp(4);
        stamps.ran("site.index", stamp.clone()).unwrap();
        assert_eq!(stamp.to_string(), "run 4, 1970-01-01T00:01:00Z, as web");
        assert_eq!(stamps.read("site.index"), Last::Ran(stamp));
        assert_eq!(stamps.read("site.serve"), Last::Never);
        let file = fs::metadata(stamps.path("site.index")).unwrap();
        assert_eq!(file.mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(&stamps.dir).unwrap().count(), 1, "no temporary file is left");
        stamps.remove("site.index").unwrap();
        assert_eq!(stamps.read("site.index"), Last::Never);
        stamps.clear().unwrap();
        stamps.clear().unwrap();
        assert!(!stamps.dir.exists());
    }

    #[test]
    fn tasks_that_are_gone_are_known_by_their_stamps() {
        let (_base, stamps) = stamps();
        let gone = |known: &[&str]| stamps.of_tasks_gone(&known.iter().map(|s| (*s).to_owned()).collect());
        assert_eq!(gone(&[]).unwrap(), Vec::<String>::new());
        stamps.ran("site.serve", stamp(1)).unwrap();
        stamps.begin("site.index", 1, &Identity("m1".into()), false).unwrap();
        stamps.by_hand().ran("extra.serve", stamp(1)).unwrap();
        stamps.ran("damaged", stamp(1)).unwrap();
        fs::write(stamps.path("damaged"), "{").unwrap();
        // As from before it was noted whose a task is.
        stamps.ran("older", stamp(1)).unwrap();
        let older = fs::read_to_string(stamps.path("older")).unwrap().replace("\"in_layout\":true,", "");
        fs::write(stamps.path("older"), older).unwrap();
        assert!(matches!(stamps.read("older"), Last::Ran(_)));
        fs::create_dir(stamps.path("directory")).unwrap();
        assert_eq!(gone(&[]).unwrap(), ["site.index", "site.serve"]);
        assert_eq!(gone(&["site.index"]).unwrap(), ["site.serve"]);
        let other = Stamps::new(stamps.storage.clone(), stamps.dir.clone(), "bb");
        assert_eq!(other.of_tasks_gone(&BTreeSet::new()).unwrap(), Vec::<String>::new());
    }

    #[test]
    fn garbage_counts_as_none() {
        let (_base, stamps) = stamps();
        stamps.ran("t", stamp(1)).unwrap();
        let good = fs::read_to_string(stamps.path("t")).unwrap();
        let newer = good.replace("\"version\":1", "\"version\":2");
        for bad in ["", "{", &good[..good.len() / 2], "\0\0\0", "[]", &newer] {
            fs::write(stamps.path("t"), bad).unwrap();
            assert!(matches!(stamps.read("t"), Last::Unreadable(_)), "{bad}");
        }
        fs::write(stamps.path("t"), &good).unwrap();
        assert!(matches!(stamps.read("t"), Last::Ran(_)));
        let other = Stamps::new(stamps.storage.clone(), stamps.dir.clone(), "bb");
        assert!(matches!(other.read("t"), Last::Unreadable(why) if why.contains("from before")));
    }
}
