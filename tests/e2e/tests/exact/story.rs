//! What happens, turn by turn: a seed decides.

use std::collections::BTreeMap;

use carthage::deploy::Selection;
use carthage::machine::engine::Fault;
use fastrand::Rng;

use super::world::World;

/// What a member is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Plain,
    Big,
    Wired,
    Imaged,
    Branch,
}

const KINDS: [Kind; 5] = [Kind::Plain, Kind::Big, Kind::Wired, Kind::Imaged, Kind::Branch];
/// Files of machines that tasks have written, or not.
const FILES: [&str; 7] =
    ["/srv/asked", "/srv/valid", "/srv/first", "/opt/valid", "/etc/issue", "/etc/said", "/srv/said"];
/// What may go wrong.
const FAULTS: [&str; 6] = [
    "*=fail%5",
    "write:*=fail%15",
    "start:*=half%30",
    "create:*=lose%30",
    "write:*=half%10",
    "stop:*=lose%40",
];

/// A story, as far as it is told.
#[derive(Clone, Debug)]
pub(crate) struct Story {
    seed: u64,
    turn: u64,
    chance: Rng,
    members: BTreeMap<String, Kind>,
    texts: [u32; 3],
    spare: bool,
    version: usize,
    selected: Vec<String>,
    destroys: bool,
    fault: Option<&'static str>,
}

impl Story {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            seed,
            turn: 0,
            chance: Rng::with_seed(seed),
            members: BTreeMap::new(),
            texts: [0; 3],
            spare: false,
            version: 0,
            selected: Vec::new(),
            destroys: false,
            fault: None,
        }
    }

    pub(crate) fn seed(&self) -> u64 {
        self.seed ^ (self.turn << 32)
    }

    pub(crate) fn names(&self, kind: Kind) -> Vec<String> {
        self.members.iter().filter(|(_, is)| **is == kind).map(|(name, _)| name.clone()).collect()
    }

    pub(crate) fn text(&self, which: usize) -> u32 {
        self.texts[which]
    }

    pub(crate) fn has_spare(&self) -> bool {
        self.spare
    }

    /// Which of three versions of the source this is.
    pub(crate) fn version(&self) -> usize {
        self.version
    }

    pub(crate) fn destroys(&self) -> bool {
        self.destroys
    }

    pub(crate) fn is_struck(&self) -> bool {
        self.fault.is_some()
    }

    pub(crate) fn faults(&self) -> Vec<Fault> {
        self.fault.into_iter().map(|fault| fault.parse().unwrap()).collect()
    }

    pub(crate) fn selection(&self) -> Selection {
        let include = self.selected.iter().map(|pattern| pattern.parse().unwrap()).collect();
        Selection { include, prune: true, ..Selection::all() }
    }

    /// The next turn. Sometimes nothing happens.
    pub(crate) fn goes_on(&mut self, world: &World) {
        self.turn += 1;
        (self.destroys, self.fault) = (false, None);
        self.selected.clear();
        if self.turn > 1 && self.chance.u8(..5) == 0 {
            return;
        }
        let edits = if self.turn == 1 { 6..9 } else { 1..4 };
        for _ in 0..self.chance.usize(edits) {
            self.edit();
        }
        if self.turn > 1 {
            for _ in 0..self.chance.usize(..3) {
                self.strike(world);
            }
        }
        if self.chance.u8(..4) == 0 {
            self.fault = self.chance.choice(FAULTS);
        }
        self.destroys = self.turn > 1 && self.chance.u8(..8) == 0;
        if self.chance.u8(..4) == 0 {
            let mut all: Vec<_> = vec!["machine:gateway".to_owned(), "network:all.back".to_owned()];
            all.extend(self.members.iter().map(|(name, kind)| match kind {
                Kind::Branch => format!("machine:desk.{name}"),
                _ => format!("machine:{name}"),
            }));
            self.chance.shuffle(&mut all);
            all.truncate(self.chance.usize(1..=3));
            self.selected = all;
        }
    }

    /// The source is edited.
    fn edit(&mut self) {
        match self.chance.u8(..9) {
            0 | 1 => {
                let name = format!("m{}", self.chance.u8(..6));
                let kind = self.chance.choice(KINDS).unwrap();
                self.members.insert(name, kind);
            }
            2 => {
                let name = self.chance.choice(self.members.keys().cloned());
                name.and_then(|name| self.members.remove(&name));
            }
            3 | 4 => {
                let which = self.chance.usize(..self.texts.len());
                self.texts[which] = self.chance.u32(..3);
            }
            5 => self.spare = !self.spare,
            _ => self.version = self.chance.usize(..3),
        }
    }

    /// Something happens to the world.
    fn strike(&mut self, world: &World) {
        let Some(victim) = self.chance.choice(world.machines()) else { return };
        match self.chance.u8(..5) {
            0 => world.happens(&serde_json::json!({"runs": {"name": victim, "runs": false}})),
            1 => world.happens(&serde_json::json!({"no-machine": {"name": victim}})),
            2 => {
                if let Some(network) = self.chance.choice(world.networks()) {
                    world.happens(&serde_json::json!({"no-network": {"name": network}}));
                }
            }
            _ => {
                let path = self.chance.choice(FILES).unwrap();
                world.happens(&serde_json::json!({"no-entry": {"machine": victim, "path": path}}));
            }
        }
    }
}
