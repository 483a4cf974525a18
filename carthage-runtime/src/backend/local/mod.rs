//! This host, with the interface of every machine: nothing is made, started or stopped, and nothing is used to reach it.

mod engine;
mod files;
mod here;

use std::sync::Arc;

use crate::error::Error;
use crate::machine::engine::{Engine, Site};
use crate::machine::implementation::Implementation;

/// The host that the program runs on: `#[machine_model(implementation = Local)]`.
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

crate::capabilities!(Local: Located, FileTree);
