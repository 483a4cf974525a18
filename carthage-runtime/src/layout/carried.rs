//! Stamps of machines that get another path in the layout: where they are until they are where they belong.

use std::collections::BTreeMap;
use std::io::{self, ErrorKind as Io};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::error::Error;
use crate::state::Dirs;
use crate::state::dirs::make_dir;
use crate::state::storage::{Storage, directory, gone};

/// Where stamps are while they are moved, beside those of the layout.
const ASIDE: &str = ".moved";

/// The stamps of a layout.
#[derive(Clone, Debug)]
pub(crate) struct Carried(PathBuf, Arc<dyn Storage>);

impl Carried {
    /// Of the layout with these directories.
    pub(crate) fn of(dirs: &Dirs) -> Self {
        Self(dirs.cache().join("stamps"), dirs.storage().clone())
    }

    fn place(&self, path: &str) -> PathBuf {
        self.0.join(path.replace('.', "/"))
    }

    fn aside(&self, path: &str) -> PathBuf {
        self.0.join(ASIDE).join(path)
    }

    /// Where the stamps of machines are found that are not where they belong, by the path of the machine, when these are to move.
    pub(crate) fn found(&self, moves: &[(String, String)]) -> BTreeMap<String, PathBuf> {
        let waiting =
            self.waiting().unwrap_or_default().into_iter().map(|path| (path.clone(), self.aside(&path)));
        let mut found: BTreeMap<_, _> = waiting.collect();
        for (old, new) in moves {
            let old = self.place(old);
            if old.exists() {
                found.entry(new.clone()).or_insert(old);
            }
        }
        found
    }

    /// Sets the stamps aside that are to move. Those that are aside already stay so.
    pub(crate) fn set_aside(&self, moves: &[(String, String)]) -> Result<(), Error> {
        for (old, new) in moves {
            let (from, to) = (self.place(old), self.aside(new));
            if from.exists() && !to.exists() {
                make_dir(&*self.1, &self.0.join(ASIDE))?;
                self.renamed(&from, &to)?;
            }
        }
        Ok(())
    }

    /// Puts stamps that are aside where they belong, but for those of these paths: their move is not on record yet.
    pub(crate) fn settle(&self, but: &[(String, String)]) -> Result<(), Error> {
        let waiting = self.waiting().map_err(Error::host(format!("cannot read `{}`", self.0.display())))?;
        for path in waiting.iter().filter(|path| but.iter().all(|(_, new)| new != *path)) {
            let to = self.place(path);
            // Of another that was there once.
            gone(self.1.remove_tree(&to)).map_err(unwritable(&to))?;
            make_dir(&*self.1, directory(&to))?;
            self.renamed(&self.aside(path), &to)?;
        }
        // It stays if something is in it.
        self.1.remove_dir(&self.0.join(ASIDE)).ok();
        Ok(())
    }

    /// The paths of machines whose stamps are aside.
    fn waiting(&self) -> io::Result<Vec<String>> {
        match self.1.names(&self.0.join(ASIDE)) {
            Err(error) if error.kind() == Io::NotFound => Ok(Vec::new()),
            names => Ok(names?.into_iter().map(|name| name.to_string_lossy().into_owned()).collect()),
        }
    }

    /// Durably; where it goes to first, so that it is nowhere at no time.
    fn renamed(&self, from: &Path, to: &Path) -> Result<(), Error> {
        let moved = || {
            self.1.rename(from, to)?;
            self.1.sync_dir(directory(to))?;
            self.1.sync_dir(directory(from))
        };
        moved().map_err(unwritable(from))
    }
}

fn unwritable(path: &Path) -> impl FnOnce(io::Error) -> Error {
    Error::host(format!("cannot move the stamps in `{}`", path.display()))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::state::storage::Disk;

    #[test]
    fn paths_that_follow_each_other_are_moved_whenever_they_are_left() {
        let moves = [("x", "y"), ("y", "z.a")].map(|(old, new)| (old.to_owned(), new.to_owned()));
        for left_after in 0..4 {
            let cache = tempfile::tempdir().unwrap();
            let carried = Carried(cache.path().join("stamps"), Arc::new(Disk::default()));
            let read = |path: PathBuf| fs::read_to_string(path.join("whose")).unwrap();
            for path in ["x", "y"] {
                fs::create_dir_all(carried.place(path)).unwrap();
                fs::write(carried.place(path).join("whose"), path).unwrap();
            }
            // As a run leaves it that is ended in between; the next one begins again.
            match left_after {
                0 => {}
                1 => carried.set_aside(&moves[..1]).unwrap(),
                2 => carried.set_aside(&moves[1..]).unwrap(),
                _ => carried.set_aside(&moves).unwrap(),
            }
            carried.settle(&moves).unwrap();
            let found = carried.found(&moves);
            assert_eq!((read(found["y"].clone()), read(found["z.a"].clone())), ("x".into(), "y".into()));
            carried.set_aside(&moves).unwrap();
            if left_after == 3 {
                // The moves are on record, and one of them is settled.
                carried.settle(&moves[..1]).unwrap();
            }
            carried.settle(&[]).unwrap();
            assert_eq!((read(carried.place("y")), read(carried.place("z.a"))), ("x".into(), "y".into()));
            assert!(!carried.place("x").exists() && !carried.0.join(ASIDE).exists());
            assert!(carried.found(&[]).is_empty());
        }
    }
}
