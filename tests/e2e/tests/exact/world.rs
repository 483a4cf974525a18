//! The simulated world of a story, looked at and changed without the program under test.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use carthage_e2e::paper_world::{Changes, PaperWorld, changes};
use fastrand::Rng;
use serde_json::{Value, json};

/// A world in a directory of its own.
pub(crate) struct World {
    directory: tempfile::TempDir,
    /// What somebody did to it that no task looks at: machine and file.
    blind: BTreeSet<(String, String)>,
    /// Whether stamps have been lost: then nobody knows whose services are.
    pub(crate) has_lost_stamps: bool,
}

/// What a change says, but for whose it is.
fn fact(kind: &str, change: &Value) -> String {
    let mut change = change.clone();
    let whose = if change.get("machine").is_some() { "machine" } else { "name" };
    change.as_object_mut().unwrap().remove(whose);
    format!("{kind} {change}")
}

/// Files of machines that tasks have written, or not, and look at.
const FILES: [&str; 8] = [
    "/srv/asked",
    "/srv/valid",
    "/srv/said",
    "/opt/valid",
    "/opt/said",
    "/etc/issue",
    "/etc/said",
    "/follow/kept",
];
/// Those that none looks at again.
const BLIND: [&str; 3] = ["/srv/first", "/etc/motd", "/var/who"];
/// Those whose contents are looked at.
const TEXTS: [&str; 4] = ["/srv/said", "/opt/said", "/etc/said", "/follow/kept"];

impl World {
    pub(crate) fn new() -> Self {
        let memory = Path::new("/dev/shm");
        let temporary = std::env::temp_dir();
        let place = if memory.is_dir() { memory } else { &temporary };
        let directory = tempfile::Builder::new().prefix("carthage-exact-").tempdir_in(place).unwrap();
        Self { directory, blind: BTreeSet::new(), has_lost_stamps: false }
    }

    /// The state directory.
    pub(crate) fn base(&self) -> &Path {
        self.directory.path()
    }

    fn file(&self) -> PathBuf {
        self.base().join("paper/simulated/world")
    }

    /// What has happened.
    pub(crate) fn history(&self) -> Changes {
        changes(&self.file())
    }

    /// What models have generated: each file, by its path.
    pub(crate) fn generated(&self) -> BTreeMap<PathBuf, String> {
        let (models, mut files) = (self.base().join("paper/cache/models"), BTreeMap::new());
        let mut directories = vec![models.clone()];
        while let Some(directory) = directories.pop() {
            for entry in fs::read_dir(&directory).into_iter().flatten() {
                let path = entry.unwrap().path();
                // Stamps tell of runs.
                if path.is_file() {
                    let text = fs::read_to_string(&path).unwrap();
                    files.insert(path.strip_prefix(&models).unwrap().to_owned(), text);
                } else if !path.ends_with(".carthage") {
                    directories.push(path);
                }
            }
        }
        files
    }

    /// What there is.
    pub(crate) fn now(&self) -> PaperWorld {
        PaperWorld::after(&self.history())
    }

    /// What was changed since then, by name.
    pub(crate) fn touched_since(&self, before: &Changes) -> BTreeSet<String> {
        let changes = self.history();
        let named = |(_, change): &(String, Value)| {
            change.get("to").or(change.get("machine")).unwrap_or(&change["name"]).as_str().unwrap().to_owned()
        };
        if let Some(since) = changes.strip_prefix(before.as_slice()) {
            return since.iter().map(named).collect();
        }
        // It was written anew: what is told of a name is told otherwise. One that is gone and was gone before is not told of any more.
        let facts = |changes: &Changes| -> BTreeMap<String, Vec<String>> {
            let mut facts = BTreeMap::<_, Vec<_>>::new();
            for (kind, change) in changes {
                let name = named(&(kind.clone(), change.clone()));
                let before = change["name"].as_str().filter(|_| kind == "renamed");
                let told = before.and_then(|before| facts.remove(before)).unwrap_or_default();
                let told = told.into_iter().chain((kind != "renamed").then(|| fact(kind, change)));
                facts.entry(name).or_default().extend(told);
            }
            facts
        };
        let (before, after) = (facts(before), facts(&changes));
        let differs = |(name, facts): &(String, Vec<String>)| {
            before.get(name).is_none_or(|told| !facts.iter().all(|fact| told.contains(fact)))
        };
        after.into_iter().filter(differs).map(|(name, _)| name).collect()
    }

    /// Whether somebody did something to a file that no task looks at.
    pub(crate) fn is_blind(&self, machine: &str, file: &str) -> bool {
        self.blind.contains(&(machine.to_owned(), file.to_owned()))
    }

    /// Something happens to it; answers what.
    pub(crate) fn is_struck(&mut self, chance: &mut Rng) -> &'static str {
        let now = self.now();
        let Some(victim) = chance.choice(now.machines.keys().cloned()) else { return "nothing" };
        let another = chance.u64(..).to_string();
        let other = || json!({"machine": {"name": victim, "identity": another}});
        match chance.u8(..22) {
            0..=3 => {
                self.happens(&json!({"runs": {"name": victim, "runs": false}}));
                "a machine is stopped"
            }
            4 | 5 => {
                self.happens(&json!({"no-machine": {"name": victim}}));
                "a machine is removed"
            }
            6 | 7 => {
                if let Some(network) = chance.choice(now.networks) {
                    self.happens(&json!({"no-network": {"name": network}}));
                }
                "a network is removed"
            }
            8 => {
                self.happens(&other());
                "a machine is another, and stopped"
            }
            9 => {
                self.happens(&other());
                self.happens(&json!({"runs": {"name": victim, "runs": true}}));
                "a machine is another"
            }
            20 | 21 => {
                if now.machines[&victim].runs {
                    self.happens(&json!({"altered": {"name": victim, "altered": true}}));
                }
                "a machine is altered"
            }
            10 if chance.bool() => {
                let cache = self.base().join("paper/cache");
                self.has_lost_stamps |= cache.exists();
                fs::remove_dir_all(cache).unwrap_or_default();
                "stamps are lost"
            }
            11 | 12 => {
                let path = chance.choice(TEXTS).unwrap();
                if now.machines[&victim].files.contains_key(path) {
                    let entry = json!({"mode": 420, "contents": "something else\n"});
                    self.happens(&json!({"entry": {"machine": victim, "path": path, "entry": entry}}));
                }
                "a file is changed"
            }
            13 => {
                let path = chance.choice(BLIND).unwrap();
                self.blind.insert((victim.clone(), path.to_owned()));
                self.happens(&json!({"no-entry": {"machine": victim, "path": path}}));
                "a file is removed that nobody looks at"
            }
            _ => {
                let path = chance.choice(FILES).unwrap();
                self.happens(&json!({"no-entry": {"machine": victim, "path": path}}));
                "a file is removed"
            }
        }
    }

    /// Somebody else changes it.
    fn happens(&self, change: &Value) {
        let mut file = fs::OpenOptions::new().append(true).open(self.file()).unwrap();
        writeln!(file, "{change}").unwrap();
    }

    /// All files, with what is in them, and all directories.
    pub(crate) fn everything(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        let mut all = BTreeMap::new();
        let mut directories = vec![self.base().to_owned()];
        while let Some(directory) = directories.pop() {
            for entry in fs::read_dir(directory).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    all.insert(path.clone(), Vec::new());
                    directories.push(path);
                } else {
                    all.insert(path.clone(), fs::read(path).unwrap());
                }
            }
        }
        all
    }
}
