//! Hosts that are there already, reached by ssh: nothing is made, started or stopped, and what is ours there can be taken away
//! without a trace.

mod adopted;
mod engine;

use std::sync::Arc;

use crate::error::Error;
use crate::machine::engine::{Engine, Site};
use crate::machine::implementation::Implementation;

/// Hosts that are there already, reached by ssh: `#[layout(implementation = BareMetal)]`.
///
/// A machine's model says where the host is (`ip_address = "…"`), and how it is reached: see the guide's page about ssh. Deploying
/// takes the host over: it is written down that it is in use, and what its tasks do is done there. Destroying gives it back: its
/// services are ended, our directory on it is removed, and everything else, also what tasks did, stays.
///
/// Whoever logs in should be root: commands as other users, and services, then work as anywhere. For another user, everything
/// is done as that user.
#[derive(Debug)]
pub struct BareMetal;

impl Implementation for BareMetal {
    const NAME: &'static str = "BareMetal";

    async fn open(site: Site) -> Result<Arc<dyn Engine>, Error> {
        Ok(Arc::new(engine::BareMetalEngine::new(site)))
    }
}

crate::capabilities!(BareMetal: Login, FileTree);
