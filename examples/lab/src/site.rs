//! A page served over HTTP.

use std::time::Duration;

use carthage::prelude::*;

use crate::token::JoinToken;
use crate::web;

/// Where the page is kept in the machine.
const PAGE: &str = "/srv/lab/index.html";

/// A page served over HTTP.
pub struct StaticSite {
    /// The TCP port.
    pub port: u16,
    /// What the page says.
    pub text: String,
}

#[customization]
impl StaticSite {
    /// Write the page.
    #[setup_task(hash = &self.text)]
    async fn index(&self, host: &Host, #[inject] token: &JoinToken) -> Result<()> {
        host.write(PAGE, format!("{}\ntoken: {}\n", self.text, token.as_str())).await
    }

    /// Put the program there that serves it.
    #[setup_task(hash = web::SOURCE)]
    async fn program(&self, host: &Host) -> Result<()> {
        web::install(host).await
    }

    /// Serve it.
    #[setup_task(after = [index, program], hash = self.port)]
    async fn serve(&self, host: &Host) -> Result<()> {
        host.spawn([web::PROGRAM, web::SERVE, &self.port.to_string(), PAGE]).await?;
        host.wait_for_port(self.port, Duration::from_secs(20)).await
    }

    #[invalidator(serve)]
    async fn still_serving(&self, host: &Host) -> Result<bool> {
        host.port_open(self.port).await
    }
}
