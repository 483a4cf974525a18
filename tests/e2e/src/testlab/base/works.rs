//! Steps that a test stops, breaks and looks at.

use carthage::prelude::*;

use super::site::ran;
use super::values::Password;
use crate::testlab::setting;

/// Where the step that is asked whether it is done leaves its mark.
pub const MARK: &str = "/var/lib/testlab/mark";

/// Steps that a test stops, breaks and looks at.
pub struct Works {
    /// Whether `shaky` fails.
    pub fails: bool,
    /// Whether `slow` waits until the test writes into `/run/go`.
    pub waits: bool,
    /// Whether the check of `marked` `fails` or `panics`.
    pub check: String,
    /// Given to a command.
    pub password: Arc<Password>,
}

/// An input of a task, which cannot be told if the test wants.
fn weighed(input: bool) -> bool {
    assert!(!setting("TESTLAB_HASH_PANICS", false), "the scales are broken");
    input
}

#[customization]
impl Works {
    /// Take as long as the test wants.
    #[setup_task(hash = self.waits)]
    async fn slow(&self, host: &Host) -> Result<()> {
        ran(host, "works.slow").await?;
        if self.waits {
            host.run(["sh", "-c", "rm -f /run/go && mkfifo /run/go && echo waiting && read go </run/go"])
                .await?;
        }
        Ok(())
    }

    /// Come after the slow one.
    #[setup_task(after = slow)]
    async fn next(&self, host: &Host) -> Result<()> {
        ran(host, "works.next").await
    }

    /// Fail, if the test wants.
    #[setup_task(hash = weighed(self.fails))]
    async fn shaky(&self, host: &Host) -> Result<()> {
        ran(host, "works.shaky").await?;
        if self.fails {
            host.run(["sh", "-c", "echo the roof is down >&2; exit 7"]).await?;
        }
        Ok(())
    }

    /// Come after the one that may fail.
    #[setup_task(after = shaky)]
    async fn leaning(&self, host: &Host) -> Result<()> {
        ran(host, "works.leaning").await
    }

    /// Leave a mark.
    #[setup_task]
    async fn marked(&self, host: &Host) -> Result<()> {
        ran(host, "works.marked").await?;
        host.write(MARK, "").await
    }

    #[check_completed(marked)]
    async fn has_mark(&self, host: &Host) -> Result<bool> {
        match self.check.as_str() {
            "fails" => Err("the light is off".into()),
            "panics" => panic!("the light is off"),
            _ => host.exists(MARK).await,
        }
    }

    /// Give a command the password, and a hash of it to the stamp.
    #[setup_task(hash = self.password.secret())]
    async fn unlock(&self, host: &Host) -> Result<()> {
        ran(host, "works.unlock").await?;
        let length = ["sh", "-c", "printf %s \"${#PASSWORD}\""];
        let length = host.command(length).secret_env("PASSWORD", self.password.secret()).run().await?.text();
        host.write("/var/lib/testlab/length", length).await
    }
}
