//! Options that implementations have made up for themselves, and what becomes of things, as constants.

use crate::error::Error;
use crate::machine::engine::Removal;

/// A set of options: their name, and how they are written when a machine is resolved.
#[derive(Clone, Copy)]
pub struct OptionNode {
    /// [`MachineOptions::NAME`](crate::machine::engine::MachineOptions::NAME).
    pub name: &'static str,
    pub(crate) value: fn() -> Result<serde_json::Value, Error>,
}

impl OptionNode {
    /// Options of this name.
    #[must_use]
    pub const fn new(name: &'static str, value: fn() -> Result<serde_json::Value, Error>) -> Self {
        Self { name, value }
    }
}

impl std::fmt::Debug for OptionNode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

/// `#[policy(destroy = retain, orphan = warn, auto_deploy = false)]`: what becomes of everything inside without anybody naming
/// it. What is absent is as the scope around says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Policy {
    /// When it is destroyed.
    pub destroy: Option<Removal>,
    /// When it is no longer in the layout.
    pub orphan: Option<Removal>,
    /// Whether it is deployed although nothing names it.
    pub auto_deploy: Option<bool>,
}

impl Policy {
    /// As around it.
    pub const INHERITED: Self = Self { destroy: None, orphan: None, auto_deploy: None };

    /// So when it is destroyed.
    #[must_use]
    pub const fn destroy(mut self, destroy: Removal) -> Self {
        self.destroy = Some(destroy);
        self
    }

    /// So when it is no longer in the layout.
    #[must_use]
    pub const fn orphan(mut self, orphan: Removal) -> Self {
        self.orphan = Some(orphan);
        self
    }

    /// Deployed although nothing names it, or not.
    #[must_use]
    pub const fn auto_deploy(mut self, auto_deploy: bool) -> Self {
        self.auto_deploy = Some(auto_deploy);
        self
    }
}

impl super::node::Node {
    /// With what becomes of it, and of what is inside.
    #[must_use]
    pub const fn policy(mut self, policy: Policy) -> Self {
        self.policy = policy;
        self
    }
}
