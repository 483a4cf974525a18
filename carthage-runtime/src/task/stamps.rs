//! The stamps of a target, a machine or a model: one file of lines, of which the last about a task counts.
//!
//! Before a task's body starts, its stamp says "begun", so that whatever ends the body before its time — an error, a cancelled run, a
//! kill, a power cut — makes the task run again. Only what would keep it from running has to be durably gone for that: to write down
//! anything else waits for no disk, and what a power cut takes away of it makes a task run again. A body that starts a service waits
//! for what says "begun", once: by it the service is known to be the task's.
//!
//! A line that is not whole at the end of the file was never relied upon. Behind any other that cannot be read, nothing before it says any
//! more that a task ran.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::sheet::{Held, OnDisk};
use super::stamp::{Known, Last, Stamp};
use crate::error::{Error, ErrorKind};
use crate::machine::engine::Identity;
use crate::state::dirs::make_dir;
use crate::state::storage::Storage;

/// The stamps of a machine or a model. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Stamps {
    of: Arc<OnDisk>,
    in_layout: bool,
}

impl Stamps {
    /// The stamps in `dir`, which is below the layout's cache directory, for the layout with this id: run numbers of another
    /// life of the layout mean nothing.
    #[must_use]
    pub fn new(storage: Arc<dyn Storage>, dir: PathBuf, layout: &str) -> Self {
        Self { of: Arc::new(OnDisk::new(storage, dir, layout)), in_layout: true }
    }

    /// The same, for tasks that are applied by hand and are none of the layout's.
    #[must_use]
    pub fn by_hand(&self) -> Self {
        Self { in_layout: false, ..self.clone() }
    }

    /// Keeps them in memory as long as the answer lives.
    pub(crate) fn hold(&self) -> Held {
        Held::of(&self.of)
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
        self.of.make_short().map_err(|error| unwritable(&self.of.path, error))
    }

    /// Whether there is room for stamps.
    #[must_use]
    pub fn have_room(&self) -> bool {
        self.of.has_room()
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
        self.of.is_unsynced()
    }

    /// Makes durable what was written.
    ///
    /// # Errors
    /// When it cannot be written to the disk.
    pub fn sync(&self) -> Result<(), Error> {
        self.of.sync().map_err(|error| unwritable(&self.of.path, error))
    }

    /// The same, of what this process has written: who has written nothing waits for nothing.
    ///
    /// # Errors
    /// As there.
    pub(crate) fn sync_written(&self) -> Result<(), Error> {
        if self.of.is_written() { self.sync() } else { Ok(()) }
    }

    /// Removes all of them, when the machine is removed.
    ///
    /// # Errors
    /// When they cannot be removed.
    pub fn clear(&self) -> Result<(), Error> {
        self.of.clear().map_err(|error| unwritable(&self.of.dir, error))
    }

    fn write(&self, task: &str, last: Last, durable: bool) -> Result<(), Error> {
        let known = Known { last, in_layout: self.in_layout };
        let written = self.of.write(task, known);
        written.map_err(|error| unwritable(&self.of.path, error))?;
        if durable { self.sync() } else { Ok(()) }
    }
}

fn unwritable(path: &Path, error: io::Error) -> Error {
    Error::new(ErrorKind::Host, format!("cannot write the stamps in `{}`", path.display()))
        .because(error)
        .hint(
            "make the cache directory writable for this user; removing it is safe and makes tasks run again",
        )
}

#[cfg(test)]
#[path = "stamps_tests.rs"]
mod tests;
