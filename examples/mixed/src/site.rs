//! A page served over HTTP, on whatever kind of machine.

use std::time::Duration;

use carthage::block::File;
use carthage::prelude::*;

/// Where the page is kept in a machine.
const ROOT: &str = "/srv/mixed";

/// What all pages say: the variable `MIXED_TEXT`, or something friendly.
#[injectable]
pub struct Words(String);

impl Words {
    /// As the environment has it.
    pub fn from_environment() -> Self {
        Self(std::env::var("MIXED_TEXT").unwrap_or_else(|_| "Good morning.".to_owned()))
    }
}

/// A page served over HTTP by busybox.
pub struct StaticSite {
    /// The TCP port.
    port: u16,
    /// What the page says.
    text: String,
}

impl StaticSite {
    /// The site with these words.
    pub fn new(words: &Words) -> Self {
        Self { port: 8080, text: words.0.clone() }
    }
}

#[customization]
impl StaticSite {
    /// Write the page.
    #[setup_task]
    fn index(&self) -> Blocks {
        Blocks::new().with(File::at(format!("{ROOT}/index.html")).content(format!("{}\n", self.text)))
    }

    /// Serve the pages that are there.
    #[setup_task(hash = self.port)]
    async fn serve(&self, host: &Host) -> Result<()> {
        host.make_dir(ROOT).await?;
        host.spawn(["busybox", "httpd", "-f", "-p", &self.port.to_string(), "-h", ROOT]).await?;
        host.wait_for_port(self.port, Duration::from_secs(30)).await
    }

    #[invalidator(serve)]
    async fn still_serving(&self, host: &Host) -> Result<bool> {
        host.port_open(self.port).await
    }
}
