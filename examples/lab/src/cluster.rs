//! Joining: a worker fetches the page and checks it.

use carthage::prelude::*;

use crate::token::JoinToken;
use crate::web;

/// Where a worker keeps what it got.
const PAGE: &str = "/var/lib/lab/page";

/// Fetches the page and checks that it comes from the right mirror.
pub struct JoinCluster {
    /// Where the page is.
    pub url: String,
    /// What it must hold.
    pub token: Arc<JoinToken>,
}

#[customization]
impl JoinCluster {
    /// Put the program there that fetches it.
    #[setup_task(hash = web::SOURCE)]
    async fn program(&self, host: &Host) -> Result<()> {
        web::install(host).await
    }

    /// Fetch the page, check the token in it, keep it.
    #[setup_task(after = program, hash = (&self.url, self.token.as_str()))]
    async fn fetch(&self, host: &Host) -> Result<()> {
        let page = host.run([web::PROGRAM, web::FETCH, &self.url]).await?.text();
        if !page.contains(self.token.as_str()) {
            return Err(format!("the page at {} does not hold the token", self.url).into());
        }
        host.write(PAGE, page + "\n").await
    }
}
