//! What something needs, as it is found out at run time.

use crate::state::Kind;

/// A machine or a network of the layout that something needs: it exists, and runs if it is a machine, before what needs it is made or
/// started, and goes after it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct Needed(String);

impl Needed {
    /// A machine, by its full name: `mirror.algebra`.
    #[must_use]
    pub fn machine(name: &str) -> Self {
        Self(Kind::Machine.thing(name))
    }

    /// A network, by the fields that lead to it: `algebra.lab`.
    #[must_use]
    pub fn network(path: &str) -> Self {
        Self(Kind::Network.thing(path))
    }

    /// What it is called in plans: `machine:mirror.algebra`.
    #[must_use]
    pub fn thing(&self) -> &str {
        &self.0
    }
}
