//! What there is in a simulated world, and what changes it.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// All that exists.
#[derive(Debug, Default)]
pub(super) struct World {
    /// Identities of networks, by name.
    pub(super) networks: BTreeMap<String, String>,
    pub(super) machines: BTreeMap<String, Machine>,
    /// How many changes there were.
    pub(super) changes: u64,
}

/// A machine.
#[derive(Debug, Default)]
pub(super) struct Machine {
    pub(super) identity: String,
    pub(super) runs: bool,
    /// Whether somebody has changed its memory since it was started.
    pub(super) altered: bool,
    /// What is at a path.
    pub(super) files: BTreeMap<PathBuf, Entry>,
    pub(super) services: BTreeSet<String>,
}

/// What is at a path of a machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Entry {
    pub(super) mode: u32,
    /// Of a file; a directory has none.
    pub(super) contents: Option<Contents>,
}

/// What is in a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub(super) enum Contents {
    /// A short text.
    Text(String),
    /// Something else, which is kept by its hash.
    Kept { hash: String, len: u64 },
}

impl Contents {
    pub(super) fn len(&self) -> u64 {
        match self {
            Self::Text(text) => text.len() as u64,
            Self::Kept { len, .. } => *len,
        }
    }
}

/// Something that changes it. One that is made true of what it is already true of changes nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Change {
    /// So many changes came before those that are still told: what is made gets no identity for a second time.
    Past {
        changes: u64,
    },
    Network {
        name: String,
        identity: String,
    },
    NoNetwork {
        name: String,
    },
    Machine {
        name: String,
        identity: String,
    },
    Runs {
        name: String,
        runs: bool,
    },
    Altered {
        name: String,
        altered: bool,
    },
    NoMachine {
        name: String,
    },
    Renamed {
        name: String,
        to: String,
    },
    Entry {
        machine: String,
        path: PathBuf,
        entry: Entry,
    },
    NoEntry {
        machine: String,
        path: PathBuf,
    },
    Service {
        machine: String,
        name: String,
    },
    NoService {
        machine: String,
        name: String,
    },
}

impl World {
    pub(super) fn apply(&mut self, change: Change) {
        self.changes += 1;
        match change {
            Change::Past { changes } => self.changes += changes,
            Change::Network { name, identity } => drop(self.networks.insert(name, identity)),
            Change::NoNetwork { name } => drop(self.networks.remove(&name)),
            Change::Machine { name, identity } => {
                self.machines.insert(name, Machine { identity, ..Machine::default() });
            }
            Change::Runs { name, runs } => {
                self.of(&name, |machine| (machine.runs, machine.altered) = (runs, false));
            }
            Change::Altered { name, altered } => self.of(&name, |machine| machine.altered = altered),
            Change::NoMachine { name } => drop(self.machines.remove(&name)),
            Change::Renamed { name, to } => {
                if let Some(machine) = self.machines.remove(&name) {
                    self.machines.insert(to, machine);
                }
            }
            Change::Entry { machine, path, entry } => {
                self.of(&machine, |machine| drop(machine.files.insert(path, entry)));
            }
            Change::NoEntry { machine, path } => {
                self.of(&machine, |machine| machine.files.retain(|other, _| !other.starts_with(&path)));
            }
            Change::Service { machine, name } => {
                self.of(&machine, |machine| machine.services.extend([name]));
            }
            Change::NoService { machine, name } => {
                self.of(&machine, |machine| machine.services.retain(|other| *other != name));
            }
        }
    }

    /// Changes a machine, if there is one.
    fn of(&mut self, machine: &str, change: impl FnOnce(&mut Machine)) {
        if let Some(machine) = self.machines.get_mut(machine) {
            change(machine);
        }
    }

    /// The changes that make it out of nothing.
    pub(super) fn changes_from_nothing(&self) -> impl Iterator<Item = Change> {
        let networks = self.networks.iter();
        let networks = networks
            .map(|(name, identity)| Change::Network { name: name.clone(), identity: identity.clone() });
        let machines = self.machines.iter().flat_map(|(name, machine)| machine.changes_from_nothing(name));
        let past = (self.changes > 0).then_some(Change::Past { changes: self.changes });
        past.into_iter().chain(networks).chain(machines)
    }
}

impl Machine {
    fn changes_from_nothing(&self, name: &str) -> impl Iterator<Item = Change> {
        let own = || name.to_owned();
        let made = Change::Machine { name: own(), identity: self.identity.clone() };
        let runs = self.runs.then(|| Change::Runs { name: own(), runs: true });
        let altered = self.altered.then(|| Change::Altered { name: own(), altered: true });
        let files = self.files.iter().map(move |(path, entry)| Change::Entry {
            machine: own(),
            path: path.clone(),
            entry: entry.clone(),
        });
        let services = self
            .services
            .iter()
            .map(move |service| Change::Service { machine: own(), name: service.clone() });
        [made].into_iter().chain(runs).chain(altered).chain(files).chain(services)
    }

    /// What is at this path and behind it: what is in a directory comes right behind it.
    fn from(&self, path: &Path) -> impl Iterator<Item = (&PathBuf, &Entry)> {
        self.files.range::<Path, _>((Bound::Included(path), Bound::Unbounded))
    }

    /// What is at a path; directories that only lead to files are there, too.
    pub(super) fn at(&self, path: &Path) -> Option<Entry> {
        let leads = || {
            let below = self.from(path).next();
            (path == Path::new("/") || below.is_some_and(|(other, _)| other.starts_with(path)))
                .then_some(Entry { mode: 0o755, contents: None })
        };
        self.files.get(path).cloned().or_else(leads)
    }

    /// The names in a directory.
    pub(super) fn names(&self, directory: &Path) -> BTreeSet<std::ffi::OsString> {
        let below = self.from(directory).take_while(|(path, _)| path.starts_with(directory));
        let first = below.filter_map(|(path, _)| path.strip_prefix(directory).ok()?.iter().next());
        first.map(ToOwned::to_owned).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(machine: &str, path: &str) -> Change {
        let entry = Entry { mode: 0o644, contents: Some(Contents::Text("x".into())) };
        Change::Entry { machine: machine.into(), path: path.into(), entry }
    }

    #[test]
    fn files_have_directories() {
        let mut world = World::default();
        world.apply(Change::Machine { name: "m".into(), identity: "1".into() });
        for path in ["/srv/www/a", "/srv/www/b/c", "/srv-other"] {
            world.apply(file("m", path));
        }
        let machine = &world.machines["m"];
        assert!(machine.at("/srv/www".as_ref()).is_some_and(|entry| entry.contents.is_none()));
        assert!(machine.at("/srv/ww".as_ref()).is_none());
        assert_eq!(machine.names("/srv/www".as_ref()), ["a".into(), "b".into()].into());
        assert_eq!(machine.names("/".as_ref()), ["srv".into(), "srv-other".into()].into());
        world.apply(Change::NoEntry { machine: "m".into(), path: "/srv".into() });
        assert_eq!(world.machines["m"].files.len(), 1);
    }

    #[test]
    fn it_is_made_again_out_of_its_changes() {
        let mut world = World::default();
        for change in [
            Change::Network { name: "n".into(), identity: "1".into() },
            Change::Machine { name: "m".into(), identity: "2".into() },
            Change::Runs { name: "m".into(), runs: true },
            Change::Altered { name: "m".into(), altered: true },
            file("m", "/a"),
            Change::Service { machine: "m".into(), name: "s".into() },
            Change::Machine { name: "gone".into(), identity: "3".into() },
            Change::NoMachine { name: "gone".into() },
            Change::Renamed { name: "m".into(), to: "renamed".into() },
        ] {
            world.apply(change);
        }
        let mut again = World::default();
        world.changes_from_nothing().for_each(|change| again.apply(change));
        assert_eq!(format!("{:?}", again.machines), format!("{:?}", world.machines));
        assert_eq!(again.networks, world.networks);
        assert!(again.changes >= world.changes, "identities that were given are not given again");
    }
}
