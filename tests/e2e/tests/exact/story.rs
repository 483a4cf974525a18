//! The source, as edits have left it: which machines there are and of what kind, what they are given, what they need.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use fastrand::Rng;

use super::versions::VERSIONS;

/// What a member is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Plain,
    Big,
    Wired,
    Imaged,
    Lazy,
    Follower,
    Needy,
    Vault,
    Branch,
    Office,
}

const KINDS: [Kind; 10] = [
    Kind::Plain,
    Kind::Big,
    Kind::Wired,
    Kind::Imaged,
    Kind::Lazy,
    Kind::Follower,
    Kind::Needy,
    Kind::Vault,
    Kind::Branch,
    Kind::Office,
];

impl Kind {
    /// The machine of a member of this kind.
    fn machine(self, member: &str) -> String {
        match self {
            Self::Branch => format!("desk.{member}"),
            Self::Office => format!("clerk.{member}"),
            _ => member.to_owned(),
        }
    }
}

/// The source of a layout.
#[derive(Clone, Debug)]
pub(crate) struct Story {
    pub(crate) chance: Rng,
    members: BTreeMap<String, Kind>,
    texts: [u32; 3],
    /// By machine: the names of machines.
    needs: BTreeMap<String, Vec<String>>,
    has_spare: bool,
    has_relic: bool,
    has_solo: bool,
    has_extras: bool,
    version: usize,
    /// The machines that a policy may keep: there was a time when they had one.
    kept: BTreeSet<String>,
}

thread_local! {
    /// What the story of this thread says now.
    static SAID: RefCell<Story> = RefCell::new(Story::new(0));
}

/// From here on, layouts that are opened in this thread are as the story says.
pub(crate) fn tell(story: &Story) {
    SAID.with(|said| *said.borrow_mut() = story.clone());
}

/// What the story of this thread says of something.
pub(crate) fn said<T>(look: impl FnOnce(&Story) -> T) -> T {
    SAID.with(|said| look(&said.borrow()))
}

impl Story {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            chance: Rng::with_seed(seed),
            members: BTreeMap::new(),
            texts: [0; 3],
            needs: BTreeMap::new(),
            has_spare: false,
            has_relic: false,
            has_solo: false,
            has_extras: false,
            version: 0,
            kept: BTreeSet::new(),
        }
    }

    pub(crate) fn names(&self, kind: Kind) -> Vec<String> {
        self.members.iter().filter(|(_, is)| **is == kind).map(|(name, _)| name.clone()).collect()
    }

    pub(crate) fn text(&self, which: usize) -> u32 {
        self.texts[which]
    }

    /// What a machine needs that is there.
    pub(crate) fn needs_of(&self, machine: &str) -> Vec<String> {
        let machines = self.machines();
        let needs = self.needs.get(machine).into_iter().flatten();
        // What needs something itself is needed only by what comes behind it, so that nothing goes round.
        let may = |need: &&String| {
            machines.contains(need)
                && (self.members.get(*need) != Some(&Kind::Needy) || need.as_str() < machine)
        };
        needs.filter(may).cloned().collect()
    }

    pub(crate) fn has_spare(&self) -> bool {
        self.has_spare
    }

    pub(crate) fn has_relic(&self) -> bool {
        self.has_relic
    }

    pub(crate) fn has_solo(&self) -> bool {
        self.has_solo
    }

    pub(crate) fn has_extras(&self) -> bool {
        self.has_extras
    }

    /// Which of the versions of the source this is.
    pub(crate) fn version(&self) -> usize {
        self.version
    }

    /// The machines of fleets.
    pub(crate) fn machines(&self) -> Vec<String> {
        self.members.iter().map(|(name, kind)| kind.machine(name)).collect()
    }

    /// Those that wait to be named.
    pub(crate) fn waits(&self, machine: &str) -> bool {
        self.members.get(machine) == Some(&Kind::Lazy)
    }

    /// Whether a policy may keep it, as it says now or said once.
    pub(crate) fn may_keep(&self, machine: &str) -> bool {
        self.kept.contains(machine)
    }

    /// Some edits; they are called what they are.
    pub(crate) fn is_edited(&mut self, edits: usize) -> Vec<&'static str> {
        let edited = (0..edits).map(|_| self.edit()).collect();
        let vaults = self.names(Kind::Vault);
        self.kept.extend(vaults);
        edited
    }

    fn edit(&mut self) -> &'static str {
        match self.chance.u8(..20) {
            0..=2 => {
                let name = format!("m{}", self.chance.u8(..6));
                let kind = self.chance.choice(KINDS).unwrap();
                self.members.entry(name).or_insert(kind);
                "a member more"
            }
            3..=5 => {
                let kind = self.chance.choice(KINDS).unwrap();
                if let Some(is) = self.chance.choice(self.members.values_mut()) {
                    *is = kind;
                }
                "a member of another kind"
            }
            6 => {
                let name = self.chance.choice(self.members.keys().cloned());
                name.and_then(|name| self.members.remove(&name));
                "a member less"
            }
            7..=9 => {
                let which = self.chance.usize(..self.texts.len());
                self.texts[which] = self.chance.u32(..3);
                "another text"
            }
            10 => {
                self.has_spare = !self.has_spare;
                "a network more or less"
            }
            11 => {
                self.has_relic = !self.has_relic;
                "a network that stays"
            }
            12 => {
                self.has_solo = !self.has_solo || self.chance.bool();
                "a machine that is moved, more or less"
            }
            13 => {
                self.has_extras = !self.has_extras;
                "an array more or less"
            }
            14 | 15 => {
                let all = self.machines();
                let needs = (0..2).filter_map(|_| self.chance.choice(all.clone())).collect();
                if let Some(needy) = self.chance.choice(self.names(Kind::Needy)) {
                    self.needs.insert(needy, needs);
                }
                "other needs"
            }
            _ => {
                self.version = self.chance.usize(..VERSIONS);
                "another version"
            }
        }
    }
}
