//! What is installed on the machines.

use carthage::prelude::*;

use crate::JoinToken;
use crate::algebra::Mirror;

/// A directory served over HTTP.
pub struct StaticSite {
    /// Where it listens.
    pub port: u16,
}

#[customization]
impl StaticSite {
    /// Write the index page.
    #[setup_task(hash = self.port)]
    async fn index(&self, host: &Host) -> Result<()> {
        host.write("/srv/index.html", "hello").await
    }

    /// Serve it.
    #[setup_task(after = index)]
    async fn serve(&self, host: &Host, #[inject] _token: &JoinToken) -> Result<()> {
        host.spawn(["httpd", "-f", "-p", &self.port.to_string(), "-h", "/srv"]).await
    }

    #[invalidator(serve)]
    async fn still_serving(&self, host: &Host) -> Result<bool> {
        host.port_open(self.port).await
    }
}

/// Joins the cluster that the mirror leads.
#[derive(Default)]
pub struct JoinCluster;

#[customization]
impl JoinCluster {
    /// Fetch what the mirror serves.
    #[setup_task]
    async fn fetch(&self, host: &Host, #[inject] mirror: &Placed<Mirror>) -> Result<()> {
        let from = mirror.eth0.address().ok_or("the mirror has no address")?;
        host.run(["wget", "-qO/srv/page", &format!("http://{from}:8080/")]).await?;
        Ok(())
    }
}
