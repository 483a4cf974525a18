//! Where an implementation works, and whom it may ask.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;

use super::rehearsal::Rehearsal;
use super::spec::MachineSpec;
use crate::error::Error;
use crate::event::Events;
use crate::state::Files;
use crate::state::storage::Storage;

/// Where an implementation keeps its things for one layout.
#[derive(Clone, Debug)]
pub struct Site {
    /// The layout's name, as in `#[layout(name = …)]`.
    pub layout: String,
    /// Distinguishes this layout, in this state directory, from every other: 32 hexadecimal digits. Names of kernel objects
    /// and labels are derived from it.
    pub id: String,
    /// The layout's state directory: must stay as long as anything exists. The implementation keeps its own things in a
    /// directory of its name below it, made with mode 0700 when first needed.
    pub state: PathBuf,
    /// Whether whoever works there only looks, as for a plan: nothing is written to the state directory then.
    pub looks: bool,
    /// What the state directory is on.
    pub storage: Arc<dyn Storage>,
    /// Logs: safe to delete.
    pub logs: PathBuf,
    /// Directories that no machine may see: state, cache and logs of the layout.
    pub private: Vec<PathBuf>,
    /// The other machines of the layout.
    pub neighbours: Arc<dyn Neighbours>,
    /// Where to tell how far long work has come.
    pub events: Events,
    /// How the world behaves, for an implementation that simulates one.
    pub rehearsal: Arc<Rehearsal>,
}

impl Site {
    /// Small files of the implementation, in a directory of this name below the state directory.
    #[must_use]
    pub fn files(&self, directory: &str) -> Files {
        Files::new(self.storage.clone(), self.state.join(directory))
    }
}

/// The machines of a layout, as far as an implementation may ask about those that others make.
#[async_trait]
pub trait Neighbours: Send + Sync + fmt::Debug {
    /// The machine of this name.
    fn spec(&self, machine: &str) -> Option<MachineSpec>;
    /// Where a running machine's network is, for what is started there from this host.
    async fn namespace(&self, machine: &str) -> Result<Namespace, Error>;
}

/// For an implementation that is on its own, as in a test.
#[async_trait]
impl Neighbours for () {
    fn spec(&self, _: &str) -> Option<MachineSpec> {
        None
    }

    async fn namespace(&self, machine: &str) -> Result<Namespace, Error> {
        Err(Error::new(crate::ErrorKind::NotFound, format!("there is no machine `{machine}`")))
    }
}

/// The namespaces to be in for a machine's network, as paths of `/proc` that can be opened while it runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Namespace {
    /// The user namespace to be entered first, where this process has no rights outside of it.
    pub user: Option<PathBuf>,
    /// The network namespace.
    pub net: PathBuf,
}
