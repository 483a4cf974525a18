//! The application: a page with what its environment says.

use std::time::Duration;

use carthage::prelude::*;

/// The TCP port of the application.
pub const PORT: u16 = 8000;

/// A page with the greeting of the machine's environment.
#[derive(Default)]
pub struct Application;

#[customization]
impl Application {
    /// Write the page.
    #[setup_task]
    async fn page(&self, host: &Host) -> Result<()> {
        host.run(["sh", "-c", "mkdir -p /srv/web && echo \"$GREETING\" >/srv/web/index.html"]).await?;
        Ok(())
    }

    /// Serve it.
    #[setup_task(after = page)]
    async fn serve(&self, host: &Host) -> Result<()> {
        host.spawn(["httpd", "-f", "-p", &PORT.to_string(), "-h", "/srv/web"]).await?;
        host.wait_for_port(PORT, Duration::from_secs(20)).await
    }

    #[invalidator(serve)]
    async fn still_serving(&self, host: &Host) -> Result<bool> {
        host.port_open(PORT).await
    }
}
