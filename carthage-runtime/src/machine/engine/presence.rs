//! Whether a thing exists and runs, and what the host allows.

use std::fmt;

use super::{Aspect, Effect};

/// What the kernel or an engine calls a thing that it made; new for each creation, so that a recreated thing is not
/// mistaken for the old one.
#[derive(Clone, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct Identity(pub String);

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Whether a thing exists and runs, as far as can be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Presence {
    /// It does not exist.
    Absent,
    /// It exists and is not running.
    Stopped(Identity),
    /// It exists and runs.
    Running(Identity),
    /// It exists and runs, and is not as its model says: somebody else has changed it since, in these ways. What the model says otherwise
    /// since it was started may be among them.
    Altered(Identity, Vec<Alteration>),
    /// It exists, but its network is not that of the machine whose links it shares, or of what that machine was before it was
    /// started or made anew; this has to be done to it.
    Stranded(Identity, Effect),
    /// It exists, but whether it runs cannot be told, for this reason.
    Unknown(Identity, String),
}

/// How a machine is not as its model says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alteration {
    /// What of it.
    pub aspect: Aspect,
    /// What has to be done to it for that.
    pub mends: Effect,
    /// In words: `its memory is 128 MiB and not 64 MiB`.
    pub what: String,
}

impl Presence {
    /// What runs, with what is not as its model says; if that is nothing, it just runs.
    #[must_use]
    pub fn running_but(identity: Identity, alterations: Vec<Alteration>) -> Self {
        match alterations.is_empty() {
            true => Self::Running(identity),
            false => Self::Altered(identity, alterations),
        }
    }

    /// What of a machine that runs is not as its model says.
    #[must_use]
    pub fn alterations(&self) -> &[Alteration] {
        match self {
            Self::Altered(_, alterations) => alterations,
            _ => &[],
        }
    }

    /// The identity of the thing, if it exists.
    #[must_use]
    pub fn identity(&self) -> Option<&Identity> {
        match self {
            Self::Absent => None,
            Self::Stopped(identity)
            | Self::Running(identity)
            | Self::Altered(identity, _)
            | Self::Stranded(identity, _)
            | Self::Unknown(identity, _) => Some(identity),
        }
    }

    /// Whether it runs; `None` is "cannot be told", or that it runs where it should not.
    #[must_use]
    pub fn running(&self) -> Option<bool> {
        match self {
            Self::Absent | Self::Stopped(_) => Some(false),
            Self::Running(_) | Self::Altered(..) => Some(true),
            Self::Stranded(..) | Self::Unknown(..) => None,
        }
    }
}

/// What the host lets the implementation do; asked before anything is planned.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Survey {
    /// Why a machine has only one user inside, if so; commands as another user are then a capability error.
    pub single_user: Option<String>,
    /// Why `memory_mb` is not enforced, if so.
    pub memory_not_enforced: Option<String>,
    /// Why `cpus` is not enforced, if so.
    pub cpus_not_enforced: Option<String>,
    /// What users should know besides, as clauses.
    pub notes: Vec<String>,
}
