//! This host, with the interface of every machine: nothing is made, started or stopped, and nothing is used to reach it.

mod engine;
mod files;
mod here;
mod links;

use std::sync::Arc;

use crate::error::Error;
use crate::machine::engine::{Engine, Site};
use crate::machine::implementation::Implementation;

/// The host that the program runs on: `#[machine_model(implementation = Local)]`.
///
/// A `#[link]` says which of its interfaces is in which network, with which address: nothing is configured, what the layout says is
/// looked up. If that interface is a bridge, machines by another implementation can be plugged into it: the network says
/// `bridge = link!(Workstation.br0)`.
///
/// Commands run as the user who runs the program; as root, they run as any user. Services are kept in the layout's state
/// directory. Destroying ends them and forgets them; whatever tasks did to the host stays. `/etc/hosts` is left alone.
#[derive(Debug)]
pub struct Local;

impl Implementation for Local {
    const NAME: &'static str = "Local";

    async fn open(site: Site) -> Result<Arc<dyn Engine>, Error> {
        Ok(Arc::new(engine::LocalEngine::new(site)))
    }
}

crate::capabilities!(Local: Located, Links, InterfaceNames, Bridges, FileTree);
