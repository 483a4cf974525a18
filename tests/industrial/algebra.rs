//! The lab: a mirror and its workers.

use carthage::prelude::*;

use crate::JoinToken;
use crate::site::{JoinCluster, StaticSite};

/// The wire that everything in the lab is plugged into.
#[network(v4 = "10.37.0.0/24", pool = "10.37.0.5-10.37.0.25")]
pub struct Lab;

/// Serves packages to the lab.
#[machine_model(memory_mb = 256)]
pub struct Mirror {
    /// Where the packages are served.
    #[link(address = "10.37.0.2")]
    pub eth0: Link<Lab>,
    #[customize(StaticSite { port: 8080 })]
    site: StaticSite,
}

/// Fetches from the mirror; three of them.
#[machine_model]
#[depends_on(Mirror)]
pub struct Worker {
    #[link]
    eth0: Link<Lab>,
    #[inject]
    token: Arc<JoinToken>,
    #[customize]
    join: JoinCluster,
}

/// The lab.
#[enclave(domain = "algebra")]
pub struct Algebra {
    lab: Lab,
    /// The mirror.
    pub mirror: Mirror,
    /// The workers.
    pub workers: [Worker; 3],
}
