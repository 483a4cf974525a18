//! Stamps of machines that get another path in the layout: where they are until they are where they belong.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, ErrorKind as Io};
use std::path::{Path, PathBuf};

use crate::error::Error;
use crate::state::dirs::{make_dir, sync_dir};

/// Where stamps are while they are moved, beside those of the layout.
const ASIDE: &str = ".moved";

/// The stamps of a layout.
#[derive(Clone, Debug)]
pub(crate) struct Carried(PathBuf);

impl Carried {
    /// Of the layout with this cache directory.
    pub(crate) fn of(cache: &Path) -> Self {
        Self(cache.join("stamps"))
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
                make_dir(&self.0.join(ASIDE))?;
                renamed(&from, &to)?;
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
            match fs::remove_dir_all(&to) {
                Err(error) if error.kind() != Io::NotFound => return Err(unwritable(&to)(error)),
                _ => {}
            }
            if let Some(around) = to.parent() {
                make_dir(around)?;
            }
            renamed(&self.aside(path), &to)?;
        }
        // It stays if something is in it.
        fs::remove_dir(self.0.join(ASIDE)).ok();
        Ok(())
    }

    /// The paths of machines whose stamps are aside.
    fn waiting(&self) -> io::Result<Vec<String>> {
        match fs::read_dir(self.0.join(ASIDE)) {
            Err(error) if error.kind() == Io::NotFound => Ok(Vec::new()),
            entries => entries?.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned())).collect(),
        }
    }
}

fn renamed(from: &Path, to: &Path) -> Result<(), Error> {
    fs::rename(from, to).map_err(unwritable(from))?;
    for directory in [from.parent(), to.parent()].into_iter().flatten() {
        sync_dir(directory)?;
    }
    Ok(())
}

fn unwritable(path: &Path) -> impl FnOnce(io::Error) -> Error {
    Error::host(format!("cannot move the stamps in `{}`", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_that_follow_each_other_are_moved_whenever_they_are_left() {
        let moves = [("x", "y"), ("y", "z.a")].map(|(old, new)| (old.to_owned(), new.to_owned()));
        for left_after in 0..4 {
            let cache = tempfile::tempdir().unwrap();
            let carried = Carried::of(cache.path());
            let read = |path: PathBuf| fs::read_to_string(path.join("whose")).unwrap();
            for path in ["x", "y"] {
                make_dir(&carried.place(path)).unwrap();
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
