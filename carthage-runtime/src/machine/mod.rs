//! Machines: one interface over every implementation.

pub mod capability;
mod command;
mod command_dependency;
pub mod engine;
mod files;
mod guard;
mod host;
pub mod implementation;
#[cfg(feature = "ssh")]
mod login;
#[expect(clippy::module_inception, reason = "a machine is what this is about")]
mod machine;
mod made_from;
mod needed;
mod outflow;
mod ports;
mod renamed;
mod script;
pub mod start;

pub use command::{Command, Output};
pub use engine::patience::{Limit, Limits, Operation};
pub(crate) use engine::tries::{Patience, Tries};
pub(crate) use engine::waiting::{LONG, told};
pub use files::{Root, Tree};
pub use guard::{MachineRunning, RunningGuard};
pub use host::Host;
pub(crate) use host::{BeforeService, is_spawned_by};
pub use machine::{GRACE, Machine};
pub(crate) use machine::{OfRun, not_root};
pub(crate) use made_from::{MadeFrom, Wires};
pub(crate) use outflow::Outflow;
#[cfg(test)]
pub(crate) use outflow::tests::left_behind;
