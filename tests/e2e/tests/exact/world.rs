//! The simulated world, looked at and changed without the program under test.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use serde_json::Value;

/// A world in a directory of its own.
pub(crate) struct World(tempfile::TempDir);

impl World {
    pub(crate) fn new() -> Self {
        let memory = Path::new("/dev/shm");
        let temporary = std::env::temp_dir();
        let place = if memory.is_dir() { memory } else { &temporary };
        Self(tempfile::Builder::new().prefix("carthage-exact-").tempdir_in(place).unwrap())
    }

    /// The state directory.
    pub(crate) fn base(&self) -> &Path {
        self.0.path()
    }

    fn file(&self) -> PathBuf {
        self.base().join("paper/simulated/world")
    }

    fn changes(&self) -> Vec<(String, Value)> {
        let text = fs::read_to_string(self.file()).unwrap_or_default();
        let change = |line: &str| {
            let change: Value = serde_json::from_str(line).unwrap();
            let (kind, change) = change.as_object().unwrap().iter().next().unwrap();
            (kind.clone(), change.clone())
        };
        // What came before is not told one by one any more.
        text.lines().map(change).filter(|(kind, _)| kind != "past").collect()
    }

    /// What has happened.
    pub(crate) fn history(&self) -> Vec<(String, Value)> {
        self.changes()
    }

    /// What was changed since then, by name.
    pub(crate) fn touched_since(&self, before: &[(String, Value)]) -> BTreeSet<String> {
        let changes = self.changes();
        let named = |(_, change): &(String, Value)| {
            change.get("machine").unwrap_or(&change["name"]).as_str().unwrap().to_owned()
        };
        match changes.strip_prefix(before) {
            Some(since) => since.iter().map(named).collect(),
            // It was written anew: what is told of a name is told otherwise.
            None => {
                let facts = |changes: &[(String, Value)]| -> BTreeMap<String, Vec<String>> {
                    let mut facts = BTreeMap::<_, Vec<_>>::new();
                    changes.iter().for_each(|change| {
                        facts.entry(named(change)).or_default().push(format!("{change:?}"))
                    });
                    facts
                };
                let (before, after) = (facts(before), facts(&changes));
                // One that is gone and was gone before is not told of any more.
                after
                    .into_iter()
                    .filter(|(name, facts)| {
                        before.get(name).is_none_or(|told| !facts.iter().all(|fact| told.contains(fact)))
                    })
                    .map(|(name, _)| name)
                    .collect()
            }
        }
    }

    fn existing(&self, made: &str, unmade: &str) -> Vec<String> {
        let mut exist = BTreeSet::new();
        for (kind, change) in self.changes() {
            let name = change["name"].as_str().unwrap_or_default().to_owned();
            match kind {
                kind if kind == made => drop(exist.insert(name)),
                kind if kind == unmade => drop(exist.remove(&name)),
                _ => {}
            }
        }
        exist.into_iter().collect()
    }

    pub(crate) fn machines(&self) -> Vec<String> {
        self.existing("machine", "no-machine")
    }

    pub(crate) fn networks(&self) -> Vec<String> {
        self.existing("network", "no-network")
    }

    /// Somebody else changes it.
    pub(crate) fn happens(&self, change: &Value) {
        let mut file = fs::OpenOptions::new().append(true).open(self.file()).unwrap();
        writeln!(file, "{change}").unwrap();
    }

    /// All files, with what is in them.
    pub(crate) fn everything(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        let mut all = BTreeMap::new();
        let mut directories = vec![self.base().to_owned()];
        while let Some(directory) = directories.pop() {
            for entry in fs::read_dir(directory).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    directories.push(path);
                } else {
                    all.insert(path.clone(), fs::read(path).unwrap());
                }
            }
        }
        all
    }
}
