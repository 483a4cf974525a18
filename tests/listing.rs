//! The listings of the guide, word for word; around them only what they call.
#![allow(missing_docs, unreachable_pub, unused_variables, reason = "listings are short")]

use carthage::prelude::*;

/// What a worker shows to join.
#[injectable]
pub struct JoinToken(String);

/// The wire that everything in the lab is plugged into.
#[network(v4 = "10.37.0.0/24", pool = "10.37.0.5-10.37.0.25")]
pub struct Lab;

/// Serves packages to the lab.
#[machine_model(memory_mb = 256)]
pub struct Mirror {
    #[link(address = "10.37.0.2")]
    eth0: Link<Lab>,
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

#[enclave(domain = "algebra")]
pub struct Algebra {
    lab: Lab,
    mirror: Mirror,
    workers: [Worker; 3],
}

#[layout(name = "industrial", implementation = Sandbox)]
pub struct Industrial {
    #[provide(persist, JoinToken::generate())] // made once, kept in the state directory
    token: Arc<JoinToken>,
    algebra: Algebra,
}

carthage::main!(Industrial);

/// A directory served over HTTP.
pub struct StaticSite {
    pub port: u16,
}

#[customization] // kinds: machine (default) | container | filesystem
impl StaticSite {
    /// Write the index page.
    #[setup_task(hash = self.port)]
    async fn index(&self, host: &Host) -> Result<()> {
        host.write("/srv/index.html", "hello").await
    }

    /// Serve it.
    #[setup_task(after = index)]
    async fn serve(&self, host: &Host, #[inject] token: &JoinToken) -> Result<()> {
        host.spawn(["httpd", "-f", "-p", &self.port.to_string(), "-h", "/srv"]).await
    }

    #[invalidator(serve)]
    async fn still_serving(&self, host: &Host) -> Result<bool> {
        host.port_open(self.port).await
    }
}

// What the listings call.

impl JoinToken {
    fn generate() -> Self {
        Self("token".to_owned())
    }
}

#[derive(Default)]
pub struct JoinCluster;

#[customization]
impl JoinCluster {
    #[setup_task]
    async fn join(&self, host: &Host, #[inject] token: &JoinToken) -> Result<()> {
        host.write("/etc/token", &token.0).await
    }
}
