//! The network and the models of the machines.

use carthage::prelude::*;

use crate::cluster::JoinCluster;
use crate::site::StaticSite;
use crate::token::JoinToken;

/// The wire that everything in the lab is plugged into.
#[network(v4 = "10.37.0.0/24", pool = "10.37.0.5-10.37.0.25")]
pub struct Lab;

/// Serves a page to the lab.
#[machine_model(memory_mb = 256)]
pub struct Mirror {
    /// A fixed address.
    #[link(address = "10.37.0.2")]
    pub eth0: Link<Lab>,
    /// The page.
    #[customize(StaticSite { port: 8080, text: "Welcome to the lab.".into() })]
    pub site: StaticSite,
}

/// Fetches the page from the mirror; three of them.
#[machine_model]
#[depends_on(Mirror)]
pub struct Worker {
    /// An address from the pool.
    #[link]
    pub eth0: Link<Lab>,
    /// What the page must hold.
    #[inject]
    pub token: Arc<JoinToken>,
    /// Where the page is.
    #[inject]
    pub mirror: Placed<Mirror>,
    /// Fetches the page and checks it.
    #[customize(JoinCluster { url: Mirror::url(&mirror), token: token.clone() })]
    pub join: JoinCluster,
}

impl Mirror {
    /// Where the page is, by name.
    fn url(me: &Placed<Self>) -> String {
        format!("http://{}:{}/", me.name(), me.site.port)
    }
}
