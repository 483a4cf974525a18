//! What was seen of a host, as far as blocks ask for it, with what they would change already changed.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::machine::engine::FileKind;

/// What was seen.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seen {
    /// What is at a path, as the last one that changes it leaves it.
    pub(super) paths: BTreeMap<PathBuf, At>,
    /// What else was told, by what was asked.
    pub(super) told: BTreeMap<String, Told>,
    /// Whether owners and groups can be seen and given by name.
    pub(super) owners: Owners,
}

/// What is known of owners where files are reached.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Owners {
    /// They are seen, and can be given.
    #[default]
    Told,
    /// They cannot be given.
    Fixed,
    /// There are none: the machine is made up.
    None,
}

/// What is at a path.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct At {
    /// Where it leads to, if it is a symbolic link.
    pub(super) link: Option<PathBuf>,
    /// What is there, links followed.
    pub(super) what: What,
}

impl At {
    /// Whether it is known what is in it.
    pub(super) fn has_contents(&self) -> bool {
        matches!(&self.what, What::Something(facts) if facts.contents.is_some())
    }
}

/// What is there, links followed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum What {
    /// Nothing.
    #[default]
    Nothing,
    /// It may not be looked at.
    Denied,
    /// This.
    Something(Facts),
}

/// What is known of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Facts {
    pub(super) kind: FileKind,
    /// Its permission bits, if they are known.
    pub(super) mode: Option<u32>,
    /// Its owner and its group, each by number and by name.
    pub(super) owner: [String; 2],
    pub(super) group: [String; 2],
    pub(super) len: u64,
    /// What it holds, if that was asked for.
    pub(super) contents: Option<Vec<u8>>,
}

/// What a script said of something that is no path.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Told {
    /// The words of its frame.
    pub(super) words: Vec<String>,
    /// What follows.
    pub(super) text: String,
}

impl Told {
    pub(super) fn first(&self) -> &str {
        self.word(0)
    }

    pub(super) fn word(&self, at: usize) -> &str {
        self.words.get(at).map_or("", String::as_str)
    }
}

impl Seen {
    pub(super) fn at(&self, path: &Path) -> At {
        self.paths.get(path).cloned().unwrap_or_default()
    }

    /// What was told; `None` where nothing of that kind can be asked.
    pub(super) fn told(&self, asked: &str) -> Option<Told> {
        self.told.get(asked).cloned()
    }
}
