//! A machine that has the links of another in place of its own.

use super::key::{At, Key};
use super::node::Node;
use super::place::Placement;

/// `shares_links = Router`
#[derive(Clone, Copy, Debug)]
pub struct Shared {
    /// The model of the machine whose links they are.
    pub key: Key,
    /// Where it is written.
    pub at: At,
}

impl Node {
    /// With the links of the machine with this key, which starts first.
    #[must_use]
    pub const fn shares_links(mut self, key: Key, at: At) -> Self {
        self.shares_links = Some(Shared { key, at });
        self
    }
}

impl Placement {
    /// The machine whose links this one shares; `None` also where what is meant is not one machine.
    #[must_use]
    pub fn shares_links(self) -> Option<Self> {
        match self.resolve(self.node().shares_links?.key, None).unwrap_or_default()[..] {
            [machine] => Some(machine),
            _ => None,
        }
    }
}
