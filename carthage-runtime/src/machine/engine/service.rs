//! Services: commands that belong to a machine.

use std::fmt;
use std::path::PathBuf;

use super::exec::{Exec, Exit};

/// A long-running command that belongs to a machine: kept in its record, started again with it, its output kept in a log.
#[derive(Clone, Debug)]
pub struct ServiceSpec {
    /// Unique in the machine; letters, digits, `.`, `_`, `-`.
    pub name: String,
    /// What runs; `stdin` and `terminal` are not used.
    pub exec: Exec,
}

/// What became of a service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ServiceState {
    /// It runs with this process id inside the machine.
    Running(u32),
    /// It ended by itself, though nobody asked it to.
    Ended(Exit),
    /// The machine is not running.
    Stopped,
}

/// A service as it is now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceStatus {
    /// Its name.
    pub name: String,
    /// What it is doing.
    pub state: ServiceState,
    /// Where its output is kept.
    pub log: Option<Log>,
}

/// Where the output of a service is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Log {
    /// In this file of this host.
    Here(PathBuf),
    /// In this file of the machine.
    Inside(PathBuf),
}

impl fmt::Display for Log {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Here(path) => write!(f, "{}", path.display()),
            Self::Inside(path) => write!(f, "{} in the machine", path.display()),
        }
    }
}
