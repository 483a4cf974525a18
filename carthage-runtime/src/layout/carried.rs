//! Stamps of machines that get another path in the layout: where they are until they are where they belong.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::{self, ErrorKind as Io};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::crash::crash_point;
use crate::error::Error;
use crate::state::dirs::make_dir;
use crate::state::storage::{Storage, gone};
use crate::state::{Dirs, Kind, Record};

/// Where stamps are while they are moved, beside those of the layout: `NEW@OLD`, by the names of their machine.
const ASIDE: &str = ".moved";
const OF: char = '@';
/// What their names begin with as long as they are not whole, or not whole any more.
const BEGUN: char = '~';
/// A file that is not whole yet.
const SCRATCH: &str = ".stamps.new";

/// A machine whose stamps go elsewhere: what it is called from then on, what it was called, and where it was placed.
#[derive(Clone, Debug)]
pub(crate) struct Carry {
    pub(crate) new: String,
    pub(crate) old: String,
    pub(crate) old_path: String,
}

/// What is on record, by the names of things.
type Records = BTreeMap<String, Record>;

/// The new and the old name of the machine whose stamps are aside.
fn names(aside: &str) -> (&str, &str) {
    aside.split_once(OF).unwrap_or((aside, aside))
}

/// Where a machine is placed, by what is on record.
fn path_of<'a>(records: &'a Records, machine: &str) -> Option<&'a str> {
    records.get(&Kind::Machine.thing(machine)).map(|record| record.path.as_str())
}

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

    fn aside(&self, whose: &str) -> PathBuf {
        self.0.join(ASIDE).join(whose)
    }

    /// Where the stamps of machines are found that are not where they belong, by the names of the machines, when these are to move, and
    /// this is on record once they have.
    pub(crate) fn found(&self, moves: &[Carry], records: &Records) -> BTreeMap<String, PathBuf> {
        let mut found = BTreeMap::new();
        for aside in self.waiting().unwrap_or_default() {
            let (new, old) = names(&aside);
            let name = if path_of(records, new).is_some() { new } else { old };
            found.insert(name.to_owned(), self.aside(&aside));
        }
        for Carry { new, old_path, .. } in moves {
            let old = self.place(old_path);
            if old.exists() {
                found.entry(new.clone()).or_insert(old);
            }
        }
        found
    }

    /// Sets the stamps aside that are to move. What is aside is whole, and is what counts.
    pub(crate) fn set_aside(&self, moves: &[Carry]) -> Result<(), Error> {
        for Carry { old, new, old_path } in moves {
            let (from, aside) = (self.place(old_path), format!("{new}{OF}{old}"));
            let to = self.aside(&aside);
            if from.exists() && !to.exists() {
                let begun = self.aside(&format!("{BEGUN}{aside}"));
                self.copy(&from, &begun)?;
                self.names_aside(|storage| storage.rename(&begun, &to))?;
                self.clear(&from)?;
            }
        }
        Ok(())
    }

    /// Puts stamps that are aside where they belong by what is on record: also back, if their move is not.
    pub(crate) fn settle(&self, records: &Records) -> Result<(), Error> {
        let waiting = self.waiting().map_err(Error::host(format!("cannot read `{}`", self.0.display())))?;
        for aside in &waiting {
            let (new, old) = names(aside);
            let (from, begun) = (self.aside(aside), self.aside(&format!("{BEGUN}{aside}")));
            if let Some(path) = path_of(records, new).or_else(|| path_of(records, old)) {
                let to = self.place(path);
                // Of another that was there once.
                self.clear(&to)?;
                self.copy(&from, &to)?;
            }
            self.names_aside(|storage| {
                gone(storage.remove_tree(&begun)).and_then(|()| storage.rename(&from, &begun))
            })?;
        }
        let all = self.0.join(ASIDE);
        gone(self.1.remove_tree(&all)).map_err(unwritable(&all))
    }

    /// Whose stamps are aside.
    fn waiting(&self) -> io::Result<Vec<String>> {
        let names = match self.1.names(&self.0.join(ASIDE)) {
            Err(error) if error.kind() == Io::NotFound => return Ok(Vec::new()),
            names => names?.into_iter().map(|name| name.to_string_lossy().into_owned()),
        };
        Ok(names.filter(|name| !name.starts_with(BEGUN)).collect())
    }

    /// Copies the files of a directory, durably. What lies deeper is of machines that are placed there.
    fn copy(&self, from: &Path, to: &Path) -> Result<(), Error> {
        make_dir(&*self.1, to)?;
        let copied = || {
            for name in self.files(from)? {
                let (path, scratch) = (to.join(&name), to.join(SCRATCH));
                self.1.write_whole(&path, &scratch, &self.1.read(&from.join(name))?, true)?;
                crash_point("stamps-copied");
            }
            Ok(())
        };
        copied().map_err(unwritable(from))
    }

    /// Removes the files of a directory, and it if nothing else is in it.
    fn clear(&self, dir: &Path) -> Result<(), Error> {
        let cleared = || {
            for name in self.files(dir)? {
                self.1.remove(&dir.join(name))?;
                crash_point("stamps-removed");
            }
            match self.1.names(dir)?.is_empty() {
                true => self.1.remove_dir(dir),
                false => self.1.sync_dir(dir),
            }
        };
        gone(cleared()).map_err(unwritable(dir))
    }

    fn files(&self, dir: &Path) -> io::Result<Vec<OsString>> {
        let mut names = self.1.names(dir)?;
        names.retain(|name| dir.join(name).is_file());
        Ok(names)
    }

    /// Changes which stamps are aside, durably.
    fn names_aside(&self, change: impl FnOnce(&dyn Storage) -> io::Result<()>) -> Result<(), Error> {
        let all = self.0.join(ASIDE);
        let changed = || {
            change(&*self.1)?;
            crash_point("stamps-aside");
            self.1.sync_dir(&all)
        };
        changed().map_err(unwritable(&all))
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

    fn records(machines: &[(&str, &str)]) -> Records {
        let record = |(name, path): &(&str, &str)| {
            let said = serde_json::json!({
                "kind": "machine", "name": name, "path": path, "implementation": "Simulated",
                "identity": "1", "spec": {}, "run": 1, "at": 1,
            });
            let record: Record = serde_json::from_value(said).unwrap();
            (record.thing(), record)
        };
        machines.iter().map(record).collect()
    }

    /// `a` becomes `c` and goes to `y`, where `b` was, which keeps its name; wherever that is left, each finds its own.
    #[test]
    fn paths_that_follow_each_other_are_moved_whenever_they_are_left() {
        let carry = |(new, old, old_path): (&str, &str, &str)| Carry {
            new: new.to_owned(),
            old: old.to_owned(),
            old_path: old_path.to_owned(),
        };
        let moves = [("c", "a", "x"), ("b", "b", "y")].map(carry);
        let before = records(&[("a", "x"), ("b", "y")]);
        let after = records(&[("c", "y"), ("b", "z.a")]);
        for (left_after, is_recorded) in [(0, false), (1, false), (2, false), (3, false), (3, true)] {
            let cache = tempfile::tempdir().unwrap();
            let carried = Carried(cache.path().join("stamps"), Arc::new(Disk::default()));
            let read = |path: PathBuf| fs::read_to_string(path.join("whose")).unwrap();
            for (path, whose) in [("x", "a"), ("y", "b")] {
                fs::create_dir_all(carried.place(path)).unwrap();
                fs::write(carried.place(path).join("whose"), whose).unwrap();
            }
            match left_after {
                0 => {}
                1 => carried.set_aside(&moves[..1]).unwrap(),
                2 => carried.set_aside(&moves[1..]).unwrap(),
                _ => carried.set_aside(&moves).unwrap(),
            }
            // Who only looks, with the move still in the source, or on record.
            let found = carried.found(if is_recorded { &[] } else { &moves }, &after);
            assert_eq!((read(found["c"].clone()), read(found["b"].clone())), ("a".into(), "b".into()));
            if !is_recorded {
                // And where it was taken back.
                let found = carried.found(&[], &before);
                let at =
                    |name: &str, path: &str| found.get(name).cloned().unwrap_or_else(|| carried.place(path));
                assert_eq!((read(at("a", "x")), read(at("b", "y"))), ("a".into(), "b".into()));
                carried.settle(&before).unwrap();
                assert_eq!((read(carried.place("x")), read(carried.place("y"))), ("a".into(), "b".into()));
                carried.set_aside(&moves).unwrap();
            }
            carried.settle(&after).unwrap();
            assert_eq!((read(carried.place("y")), read(carried.place("z.a"))), ("a".into(), "b".into()));
            assert!(!carried.place("x").exists() && !carried.0.join(ASIDE).exists());
            assert!(carried.found(&[], &after).is_empty());
        }
    }
}
