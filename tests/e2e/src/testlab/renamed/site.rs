//! A page that is served, by a task of another name.

use std::time::Duration;

use carthage::prelude::*;

use super::values::Token;

/// Where the page is.
const PAGE: &str = "/srv/testlab/page";
/// Where the program is that serves it.
pub const PROGRAM: &str = "/usr/local/bin/testlab-page";
/// Gets a line whenever a body runs.
pub const RAN: &str = "/var/lib/testlab/ran";

/// Notes that a body runs.
pub async fn ran(host: &Host, task: &str) -> Result<()> {
    host.run(["sh", "-c", "mkdir -p \"${1%/*}\" && echo \"$2\" >>\"$1\"", "sh", RAN, task]).await?;
    Ok(())
}

/// Puts the program of the tests into a machine.
pub async fn install(host: &Host) -> Result<()> {
    let program = std::env::var_os("TESTLAB_PAGE_PROGRAM").ok_or("TESTLAB_PAGE_PROGRAM is not set")?;
    host.copy_in(program, PROGRAM).await
}

/// A page that is served.
pub struct Site {
    /// The TCP port.
    pub port: u16,
    /// What the page says.
    pub text: String,
}

#[customization]
impl Site {
    /// Write the page.
    #[setup_task(hash = &self.text)]
    async fn index(&self, host: &Host, #[inject] token: &Token) -> Result<()> {
        ran(host, "site.index").await?;
        carthage::state::crash_point("task-body");
        host.write(PAGE, format!("{}\ntoken: {}\n", self.text, token.as_str())).await
    }

    /// Put the program there.
    #[setup_task]
    async fn program(&self, host: &Host) -> Result<()> {
        ran(host, "site.program").await?;
        install(host).await
    }

    /// Serve it.
    #[setup_task(after = [index, program], hash = self.port)]
    async fn answer(&self, host: &Host) -> Result<()> {
        ran(host, "site.answer").await?;
        host.spawn([PROGRAM, "serve", &self.port.to_string(), PAGE]).await?;
        host.wait_for_port(self.port, Duration::from_secs(20)).await
    }

    #[invalidator(answer)]
    async fn still_serving(&self, host: &Host) -> Result<bool> {
        host.port_open(self.port).await
    }

    /// Tell the world.
    #[setup_task(after = answer)]
    async fn announce(&self, host: &Host) -> Result<()> {
        ran(host, "site.announce").await?;
        host.write("/srv/testlab/announced", "yes").await
    }
}
