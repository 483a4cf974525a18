//! Small files in a directory of state, each written as a whole: what an implementation remembers of each of its machines.

use std::io::ErrorKind as Io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::storage::{Storage, gone};
use crate::error::{Error, ErrorKind};

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
}

impl Files {
    /// Those in this directory.
    #[must_use]
    pub fn new(storage: Arc<dyn Storage>, dir: PathBuf) -> Self {
        Self { storage, dir }
    }

    /// The directory.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// The same in another directory.
    #[must_use]
    pub fn of(&self, dir: PathBuf) -> Self {
        Self { storage: self.storage.clone(), dir }
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
        let (path, scratch) = (self.path(name), self.path(&format!(".{name}.new")));
        self.storage
            .write_whole(&path, &scratch, bytes, true)
            .map_err(Error::host(format!("cannot write `{}`", path.display())))
    }

    /// Removes a file, durably; that there is none is no error.
    ///
    /// # Errors
    /// When it cannot be removed.
    pub fn forget(&self, name: &str) -> Result<(), Error> {
        let path = self.path(name);
        match self.storage.remove(&path).and_then(|()| self.storage.sync_dir(&self.dir)) {
            Err(error) if matches!(error.kind(), Io::NotFound | Io::NotADirectory) => Ok(()),
            removed => removed.map_err(Error::host(format!("cannot remove `{}`", path.display()))),
        }
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

    /// Gives the directory another name, durably; tells whether it was there.
    ///
    /// # Errors
    /// When it cannot be renamed, which includes that a directory with something in it has that name.
    pub fn move_to(&self, place: &Path) -> Result<bool, Error> {
        let above = super::storage::directory(place);
        match self.storage.rename(&self.dir, place).and_then(|()| self.storage.sync_dir(above)) {
            Ok(()) => Ok(true),
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

    /// Removes the directory if nothing is in it.
    ///
    /// # Errors
    /// When it is empty and cannot be removed.
    pub fn tidy(&self) -> Result<(), Error> {
        match self.storage.remove_dir(&self.dir) {
            Err(error) if error.kind() == Io::DirectoryNotEmpty => Ok(()),
            removed => gone(removed).map_err(Error::host(format!("cannot remove `{}`", self.dir.display()))),
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
        std::fs::write(files.path(".m.new"), "ha").unwrap();
        assert_eq!(files.read("m").unwrap().unwrap(), b"one");
        files.keep("m", b"two").unwrap();
        assert_eq!(files.read("m").unwrap().unwrap(), b"two");
        assert_eq!(std::fs::read_dir(files.dir()).unwrap().count(), 1);
        files.tidy().unwrap();
        assert!(files.dir().exists());
        assert!(files.move_to(&state.path().join("a/c")).unwrap());
        assert!(!files.move_to(&state.path().join("a/d")).unwrap());
        let moved = files.of(state.path().join("a/c"));
        moved.forget("m").unwrap();
        moved.tidy().unwrap();
        assert!(!moved.dir().exists());
        std::fs::write(state.path().join("file"), "").unwrap();
        let error = files.of(state.path().join("file/in")).keep("m", b"").unwrap_err();
        assert!(error.to_string().contains("cannot make the directory"), "{error}");
        moved.clear().unwrap();
    }
}
