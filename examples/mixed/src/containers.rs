//! Machines out of containers of Docker or Podman.

use carthage::backend::Container;
use carthage::prelude::*;

use crate::site::{StaticSite, Words};

/// What the containers are plugged into.
#[network(v4 = "10.41.2.0/24", pool = "10.41.2.10-10.41.2.19")]
pub struct Dock;

/// Two containers.
#[enclave(implementation = Container)]
pub struct Containers {
    /// The network.
    pub dock: Dock,
    /// Two of them.
    pub containers: [InContainer; 2],
}

/// A container.
#[machine_model(name = "container", image = "docker.io/library/busybox:stable")]
pub struct InContainer {
    /// An address from the pool.
    #[link]
    pub eth0: Link<Dock>,
    /// What the page says.
    #[inject]
    pub words: Arc<Words>,
    /// The page.
    #[customize(StaticSite::new(&words))]
    pub site: StaticSite,
}
