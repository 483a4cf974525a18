//! A proxy and two application servers, as containers: the proxy is reached through port 8080 of this host, and passes every
//! request on to the next server.
//!
//! ```console
//! $ cargo run -p web -- deploy --yes
//! $ curl http://localhost:8080/
//! $ cargo run -p web -- destroy --yes
//! ```
//!
//! It needs Docker or Podman, and nothing else.

mod application;
mod proxy;

use carthage::prelude::*;

use crate::application::Application;
use crate::proxy::Proxy;

/// What the proxy and the servers are plugged into. It has no way out.
#[network(v4 = "10.38.0.0/24", pool = "10.38.0.10-10.38.0.19")]
pub struct Backend;

/// Answers with its greeting.
#[machine_model(name = "red", image = "docker.io/library/busybox:1.37", memory_mb = 64)]
#[env(GREETING = "hello from red")]
pub struct Red {
    /// An address from the pool.
    #[link]
    pub eth0: Link<Backend>,
    /// What it serves.
    #[customize]
    pub application: Application,
}

/// Answers with its greeting.
#[machine_model(name = "blue", image = "docker.io/library/busybox:1.37", memory_mb = 64)]
#[env(GREETING = "hello from blue")]
pub struct Blue {
    /// An address from the pool.
    #[link]
    pub eth0: Link<Backend>,
    /// What it serves.
    #[customize]
    pub application: Application,
}

/// Passes requests on.
#[machine_model(image = "docker.io/library/busybox:1.37", memory_mb = 64)]
#[depends_on(Red)]
#[depends_on(Blue)]
#[expose(80, on = 8080)]
pub struct Front {
    /// An address from the pool.
    #[link]
    pub eth0: Link<Backend>,
    /// Whom it passes requests on to, one after the other.
    #[customize(Proxy { servers: vec!["red".into(), "blue".into()] })]
    pub proxy: Proxy,
}

/// A proxy and two application servers.
#[layout(name = "web", domain = "web.test", implementation = Container)]
pub struct Web {
    /// The network.
    pub backend: Backend,
    /// A server.
    pub red: Red,
    /// Another.
    pub blue: Blue,
    /// The proxy.
    pub front: Front,
}

carthage::main!(Web);
