//! Networks, and models of machines.

use carthage::prelude::*;

use super::daemons::Daemons;
use super::fetch::Fetch;
use super::site::Site;
use super::values::{Password, Token};
use super::works::Works;
use crate::testlab::setting;

/// Where the page is served.
#[network(v4 = "10.61.0.0/24", pool = "10.61.0.5-10.61.0.9")]
pub struct Front;

/// Where nobody else is.
#[network(v4 = "10.62.0.0/24", pool = "10.62.0.5-10.62.0.9")]
pub struct Back;

/// Serves a page.
#[machine_model(memory_mb = 256)]
pub struct Server {
    /// A fixed address.
    #[link(address = "10.61.0.2")]
    pub eth0: Link<Front>,
    /// The page.
    #[customize(Site { port: setting("TESTLAB_PORT", 8080), text: setting("TESTLAB_TEXT", "hello".to_owned()) })]
    pub site: Site,
}

/// Fetches the page by the server's name.
#[machine_model]
#[depends_on(Server)]
pub struct Worker {
    /// An address from the pool.
    #[link]
    pub eth0: Link<Front>,
    /// What the page must hold.
    #[inject]
    pub token: Arc<Token>,
    /// Where the page is.
    #[inject]
    pub server: Placed<Server>,
    /// Fetches.
    #[customize(Fetch { host: server.name(), port: server.site.port, token: token.clone() })]
    pub fetch: Fetch,
}

/// On a network of its own.
#[machine_model]
pub struct Vault {
    /// An address from the other pool.
    #[link]
    pub eth0: Link<Back>,
    /// Must not be seen.
    #[inject]
    pub password: Arc<Password>,
    /// As many services as the test wants.
    #[customize(Daemons { count: setting("TESTLAB_DAEMONS", 1) })]
    pub daemons: Daemons,
    /// Steps that wait, that fail, and that know themselves whether they are done.
    #[customize(Works { fails: setting("TESTLAB_FAILS", false), waits: setting("TESTLAB_WAITS", false), check: setting("TESTLAB_CHECK", String::new()), password: password.clone() })]
    pub works: Works,
}
