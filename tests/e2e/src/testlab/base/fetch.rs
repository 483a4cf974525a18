//! Fetching the page.

use carthage::prelude::*;

use super::site::{PROGRAM, install, ran};
use super::values::Token;

/// Fetches the page and checks that it holds the token.
pub struct Fetch {
    /// The server's name.
    pub host: &'static str,
    /// Its port.
    pub port: u16,
    /// What the page must hold.
    pub token: Arc<Token>,
}

#[customization]
impl Fetch {
    /// Put the program there.
    #[setup_task]
    async fn program(&self, host: &Host) -> Result<()> {
        ran(host, "fetch.program").await?;
        install(host).await
    }

    /// Fetch, check and keep the page.
    #[setup_task(after = program, hash = (self.host, self.port, self.token.as_str()))]
    async fn page(&self, host: &Host) -> Result<()> {
        ran(host, "fetch.page").await?;
        let page = host.run([PROGRAM, "fetch", self.host, &self.port.to_string()]).await?.text();
        if !page.contains(self.token.as_str()) {
            return Err(format!("the page of {} does not hold the token", self.host).into());
        }
        host.write("/var/lib/testlab/page", page + "\n").await
    }
}
