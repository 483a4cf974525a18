//! What the store says of things that exist.

use std::fmt;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::origin::Origin;
use crate::machine::engine::Identity;

/// What kind of thing a record is about; the first half of a name such as `machine:mirror.algebra`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Kind {
    /// A logical network.
    Network,
    /// A machine.
    Machine,
    /// A model with tasks of its own, and what they have generated.
    // Errors of rustc name the trait `Model` by its last word as long as nothing else is called so.
    #[serde(rename = "model")]
    ModelWithTasks,
}

impl Kind {
    /// The name of one of this kind, as users write it: `machine:mirror.algebra`.
    #[must_use]
    pub fn thing(self, name: &str) -> String {
        format!("{self}:{name}")
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Network => "network",
            Self::Machine => "machine",
            Self::ModelWithTasks => "model",
        })
    }
}

/// A thing that was made and has not been removed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// What it is.
    pub kind: Kind,
    /// Its name, unique among its kind: a machine's fully qualified one, a network's path, a model's either.
    pub name: String,
    /// Where the layout has it: the path of fields, such as `algebra.workers-2`.
    pub path: String,
    /// The name of the implementation that made it; empty for a model.
    pub implementation: String,
    /// What the implementation calls it.
    pub identity: Identity,
    /// What it was made from.
    pub spec: Origin,
    /// What it needed when it was last deployed, by the names of these things: those of what is no longer in the layout go after it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub needs: Vec<String>,
    /// The run that made or last changed it.
    pub run: u64,
    /// Seconds since 1970, when that was.
    pub at: u64,
}

impl Record {
    /// Its name as users write it: `machine:mirror.algebra`.
    #[must_use]
    pub fn thing(&self) -> String {
        self.kind.thing(&self.name)
    }
}

/// The addresses of one interface of one machine, kept as long as the machine lives.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Assignment {
    /// The network whose pool the address is of.
    pub network: String,
    /// The address, if the network has any.
    pub address: Option<IpAddr>,
    /// The hardware address, if it was given one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mac: Option<[u8; 6]>,
}
