//! Machines out of Linux namespaces.

use carthage::prelude::*;

use crate::site::{StaticSite, Words};

/// What the sandboxes are plugged into.
#[network(v4 = "10.41.1.0/24", pool = "10.41.1.10-10.41.1.19")]
pub struct Bench;

/// Two sandboxes, and one that stands for a real host.
#[enclave]
pub struct Sandboxes {
    /// The network.
    pub bench: Bench,
    /// Two sandboxes.
    pub sandboxes: [InSandbox; 2],
    /// A host of somebody else's.
    pub rack: crate::host::Rack,
}

/// A sandbox.
#[machine_model(name = "sandbox")]
pub struct InSandbox {
    /// An address from the pool.
    #[link]
    pub eth0: Link<Bench>,
    /// What the page says.
    #[inject]
    pub words: Arc<Words>,
    /// The page.
    #[customize(StaticSite::new(&words))]
    pub site: StaticSite,
}
