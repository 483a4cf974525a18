//! The simulated world, read from its file without the program under test.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde_json::Value;

/// What there is, but for what each new thing is called by its maker.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PaperWorld {
    /// By name.
    pub networks: BTreeSet<String>,
    /// By name.
    pub machines: BTreeMap<String, PaperMachine>,
}

/// A machine of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PaperMachine {
    /// Whether it runs.
    pub runs: bool,
    /// Whether somebody has changed it since it was started.
    pub altered: bool,
    /// What is in each file; a directory has nothing, and a file that is long its hash.
    pub files: BTreeMap<String, String>,
    /// Who may do what with each of them.
    pub modes: BTreeMap<String, u64>,
    /// By name.
    pub services: BTreeSet<String>,
}

/// What has happened: what kind of change it was, and what it says.
pub type Changes = Vec<(String, Value)>;

/// All that has happened, as the file tells it; nothing if there is none.
///
/// # Panics
/// When the file cannot be read.
pub fn changes(file: &Path) -> Changes {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    let change = |line: &str| {
        let change: Value = serde_json::from_str(line).unwrap();
        let (kind, change) = change.as_object().unwrap().iter().next().unwrap();
        (kind.clone(), change.clone())
    };
    // What came before is not told one by one any more.
    text.lines().map(change).filter(|(kind, _)| kind != "past").collect()
}

impl PaperWorld {
    /// What is left of all that has happened.
    ///
    /// # Panics
    /// When something happened that is not known here.
    pub fn after(changes: &Changes) -> Self {
        let mut world = Self::default();
        for (kind, change) in changes {
            world.happens(kind, change);
        }
        world
    }

    fn happens(&mut self, kind: &str, change: &Value) {
        let word = |name: &str| change[name].as_str().unwrap_or_default().to_owned();
        let (name, path) = (word("name"), word("path"));
        match kind {
            "network" => self.networks.extend([name]),
            "no-network" => drop(self.networks.remove(&name)),
            "machine" => drop(self.machines.insert(name, PaperMachine::default())),
            "no-machine" => drop(self.machines.remove(&name)),
            "renamed" => {
                if let Some(machine) = self.machines.remove(&name) {
                    self.machines.insert(word("to"), machine);
                }
            }
            _ => {
                let whose = if path.is_empty() && matches!(kind, "runs" | "altered") {
                    &name
                } else {
                    &word("machine")
                };
                let Some(machine) = self.machines.get_mut(whose) else { return };
                match kind {
                    "runs" => (machine.runs, machine.altered) = (change["runs"] == true, false),
                    "altered" => machine.altered = change["altered"] == true,
                    "entry" => {
                        let contents = &change["entry"]["contents"];
                        let hash = contents["hash"].as_str();
                        let contents = contents.as_str().or(hash).unwrap_or_default();
                        machine.files.insert(path.clone(), contents.to_owned());
                        machine.modes.insert(path, change["entry"]["mode"].as_u64().unwrap_or_default());
                    }
                    "no-entry" => {
                        let inside = |other: &String| Path::new(other).starts_with(&path);
                        machine.files.retain(|other, _| !inside(other));
                        machine.modes.retain(|other, _| !inside(other));
                    }
                    "service" => machine.services.extend([name]),
                    "no-service" => drop(machine.services.remove(&name)),
                    other => panic!("`{other}` is not known here"),
                }
            }
        }
    }

    /// The same with the first word of each file: behind it there may be something made by chance.
    #[must_use]
    pub fn without_chance(mut self) -> Self {
        let files = self.machines.values_mut().flat_map(|machine| machine.files.values_mut());
        files.for_each(|contents| contents.truncate(contents.find(' ').unwrap_or(contents.len())));
        self
    }
}
