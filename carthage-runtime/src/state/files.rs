//! Small files in a directory of state, each written as a whole: what an implementation remembers of each of its machines.

use std::ffi::OsString;
use std::io::ErrorKind as Io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::key::random;
use super::storage::{Storage, gone};
use crate::crash::crash_point;
use crate::error::{Error, ErrorKind};

/// How the name of a file ends that is being written; it begins with a dot.
const SCRATCH: &str = ".new";

/// The files of a directory, which is made when the first of them is.
///
/// ```
/// use carthage::state::{Files, storage};
///
/// # fn main() -> Result<(), carthage::Error> {
/// # let state = tempfile::tempdir().unwrap();
/// let files = Files::new(storage::usual(), state.path().join("mine"));
/// files.keep("mirror.json", b"{}")?;
/// assert_eq!(files.read("mirror.json")?.as_deref(), Some(&b"{}"[..]));
/// files.forget("mirror.json")?;
/// assert_eq!(files.read("mirror.json")?, None);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Files {
    storage: Arc<dyn Storage>,
    dir: PathBuf,
    alone: bool,
}

impl Files {
    /// Those in this directory.
    #[must_use]
    pub fn new(storage: Arc<dyn Storage>, dir: PathBuf) -> Self {
        Self { storage, dir, alone: false }
    }

    /// The same, of which nobody else writes one file at the same time: what a killed process has left of it is gone when it is written
    /// again, or forgotten. The names of such files are short enough for five letters more.
    #[must_use]
    pub fn alone(self) -> Self {
        Self { alone: true, ..self }
    }

    /// The directory.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// The same in another directory.
    #[must_use]
    pub fn of(&self, dir: PathBuf) -> Self {
        Self { dir, ..self.clone() }
    }

    /// Where a file of this name is.
    #[must_use]
    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }

    /// What is in a file; `None` if there is none.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn read(&self, name: &str) -> Result<Option<Vec<u8>>, Error> {
        let path = self.path(name);
        match self.storage.read(&path) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if matches!(error.kind(), Io::NotFound | Io::NotADirectory) => Ok(None),
            Err(error) => Err(Error::host(format!("cannot read `{}`", path.display()))(error)),
        }
    }

    /// Puts this into a file, durably: whoever looks, and whoever looks after a power cut, sees all of it or what was there before.
    /// Only the owner can read it.
    ///
    /// # Errors
    /// When it cannot be written; what was there before is still there then.
    pub fn keep(&self, name: &str, bytes: &[u8]) -> Result<(), Error> {
        self.make_dir()?;
        self.keep_in_place(name, bytes)
    }

    /// Like [`keep`](Self::keep), in a directory that must be there: of what somebody has removed nothing is made again.
    ///
    /// # Errors
    /// When it cannot be written, which includes that there is no directory; what was there before is still there then.
    pub fn keep_in_place(&self, name: &str, bytes: &[u8]) -> Result<(), Error> {
        let (path, scratch) = (self.path(name), self.scratch(name)?);
        self.storage.write_whole(&path, &scratch, bytes, true).map_err(|error| {
            // As far as it is there.
            self.storage.remove(&scratch).ok();
            Error::host(format!("cannot write `{}`", path.display()))(error)
        })
    }

    /// The name by which a file is written.
    fn scratch(&self, name: &str) -> Result<PathBuf, Error> {
        let own = match self.alone {
            true => name.to_owned(),
            // Its own for each who writes, also of the same file at the same time.
            false => random::<8>()?.map(|byte| format!("{byte:02x}")).concat(),
        };
        Ok(self.path(&format!(".{own}{SCRATCH}")))
    }

    /// Removes a file, durably; that there is none is no error.
    ///
    /// # Errors
    /// When it cannot be removed.
    pub fn forget(&self, name: &str) -> Result<(), Error> {
        let path = self.path(name);
        if self.alone {
            gone(self.storage.remove(&self.scratch(name)?)).or_else(|error| match error.kind() {
                Io::NotADirectory => Ok(()),
                _ => Err(Error::host(format!("cannot remove what was left of `{}`", path.display()))(error)),
            })?;
        }
        match self.storage.remove(&path).and_then(|()| self.storage.sync_dir(&self.dir)) {
            Err(error) if matches!(error.kind(), Io::NotFound | Io::NotADirectory) => return Ok(()),
            removed => removed.map_err(Error::host(format!("cannot remove `{}`", path.display())))?,
        }
        crash_point("file-removed");
        Ok(())
    }

    /// The names of the files that are there, in no order; a file that is being written has another name.
    ///
    /// # Errors
    /// When the directory is there and cannot be read.
    pub fn names(&self) -> Result<Vec<String>, Error> {
        match self.storage.names(&self.dir) {
            Ok(names) => {
                let names = names.into_iter().filter_map(|name| name.into_string().ok());
                Ok(names.filter(|name| !name.starts_with('.')).collect())
            }
            Err(error) if error.kind() == Io::NotFound => Ok(Vec::new()),
            Err(error) => Err(Error::host(format!("cannot read `{}`", self.dir.display()))(error)),
        }
    }

    /// Makes the directory and those above it, for the owner only.
    ///
    /// # Errors
    /// When one of them cannot be made.
    pub fn make_dir(&self) -> Result<(), Error> {
        let made = self.storage.make_dirs(&self.dir);
        made.map(drop).map_err(|(dir, error)| {
            Error::new(ErrorKind::Host, format!("cannot make the directory `{}`", dir.display()))
                .because(error)
                .hint("choose a state directory that you can write to with `--state-dir`")
        })
    }

    /// Makes the directory in one that is there, without waiting for the disk: it survives a power cut when that one is synced.
    ///
    /// # Errors
    /// When it cannot be made, which includes that it is there.
    pub fn make_unsynced(&self) -> Result<(), Error> {
        let made = self.storage.make_dir(&self.dir);
        made.map_err(Error::host(format!("cannot make the directory `{}`", self.dir.display())))?;
        crash_point("directory-made");
        Ok(())
    }

    /// Makes durable which names are in the directory, and its mode.
    ///
    /// # Errors
    /// When it cannot be synced.
    pub fn sync(&self) -> Result<(), Error> {
        let synced = self.storage.sync_dir(&self.dir);
        synced.map_err(Error::host(format!("cannot write the directory `{}`", self.dir.display())))
    }

    /// Gives the directory another name, durably; tells whether it was there.
    ///
    /// # Errors
    /// When it cannot be renamed, which includes that a directory with something in it has that name.
    pub fn move_to(&self, place: &Path) -> Result<bool, Error> {
        let above = super::storage::directory(place);
        match self.storage.rename(&self.dir, place).and_then(|()| self.storage.sync_dir(above)) {
            Ok(()) => {
                crash_point("directory-moved");
                Ok(true)
            }
            Err(error) if error.kind() == Io::NotFound => Ok(false),
            Err(error) => Err(Error::host(format!("cannot rename `{}`", self.dir.display()))(error)),
        }
    }

    /// Removes the directory with all that is in it.
    ///
    /// # Errors
    /// When something in it cannot be removed.
    pub fn clear(&self) -> Result<(), Error> {
        let removed = gone(self.storage.remove_tree(&self.dir));
        removed.map_err(Error::host(format!("cannot remove `{}`", self.dir.display())))
    }

    /// Removes the directory if nothing is in it, but for what a killed process has left. Nobody may [keep](Self::keep) something there
    /// at the same time.
    ///
    /// # Errors
    /// When it is empty and cannot be removed.
    pub fn tidy(&self) -> Result<(), Error> {
        let failed = || Error::host(format!("cannot remove `{}`", self.dir.display()));
        let left = match self.storage.names(&self.dir) {
            Err(error) if error.kind() == Io::NotFound => return Ok(()),
            left => left.map_err(failed())?,
        };
        let is_scratch = |name: &OsString| {
            name.to_str().is_some_and(|name| name.starts_with('.') && name.ends_with(SCRATCH))
        };
        if !left.iter().all(is_scratch) {
            return Ok(());
        }
        for name in left {
            gone(self.storage.remove(&self.dir.join(name))).map_err(failed())?;
        }
        match self.storage.remove_dir(&self.dir) {
            Err(error) if error.kind() == Io::DirectoryNotEmpty => Ok(()),
            removed => gone(removed).map_err(failed()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_a_file_is_never_seen() {
        let state = tempfile::tempdir().unwrap();
        let files = Files::new(super::super::storage::usual(), state.path().join("a/b"));
        assert_eq!(files.read("m").unwrap(), None);
        files.forget("m").unwrap();
        files.keep("m", b"one").unwrap();
        // What a killed process has left is in nobody's way.
        std::fs::write(files.path(".0123.new"), "ha").unwrap();
        assert_eq!(files.read("m").unwrap().unwrap(), b"one");
        files.keep("m", b"two").unwrap();
        assert_eq!(files.read("m").unwrap().unwrap(), b"two");
        assert_eq!(files.names().unwrap(), ["m"]);
        files.tidy().unwrap();
        assert!(files.dir().exists());
        let alone = files.clone().alone();
        // Of one's own it goes with what it was to become, or before.
        for remedy in [|files: &Files| files.keep("m", b"two"), |files: &Files| files.forget("m")] {
            std::fs::write(files.path(".m.new"), "ha").unwrap();
            remedy(&alone).unwrap();
            assert!(!files.path(".m.new").exists());
        }
        files.keep("m", b"two").unwrap();
        assert!(files.move_to(&state.path().join("a/c")).unwrap());
        assert!(!files.move_to(&state.path().join("a/d")).unwrap());
        let moved = files.of(state.path().join("a/c"));
        moved.forget("m").unwrap();
        moved.tidy().unwrap();
        moved.tidy().unwrap();
        assert!(!moved.dir().exists());
        moved.keep_in_place("m", b"").unwrap_err();
        assert!(!moved.dir().exists());
        std::fs::write(state.path().join("file"), "").unwrap();
        let error = files.of(state.path().join("file/in")).keep("m", b"").unwrap_err();
        assert!(error.to_string().contains("cannot make the directory"), "{error}");
        moved.clear().unwrap();
    }

    #[test]
    fn many_may_write_one_file_and_its_name_may_be_long() {
        let state = tempfile::tempdir().unwrap();
        let files = Files::new(super::super::storage::usual(), state.path().join("a"));
        let name = "n".repeat(255);
        std::thread::scope(|scope| {
            for number in 0..8_u8 {
                let (files, name) = (&files, &name);
                scope.spawn(move || (0..50).for_each(|_| files.keep(name, &[number; 100]).unwrap()));
            }
        });
        let kept = files.read(&name).unwrap().unwrap();
        assert!(kept.len() == 100 && kept.iter().all(|byte| *byte == kept[0]), "{kept:?}");
        // What could not be written leaves nothing.
        std::fs::create_dir(files.path("dir")).unwrap();
        files.keep("dir", b"").unwrap_err();
        assert_eq!(std::fs::read_dir(files.dir()).unwrap().count(), 2);
    }
}
