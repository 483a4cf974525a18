//! A machine whose task waits for whoever has the other end of a pipe.

use carthage::backend::Simulated;
use carthage::prelude::*;

use super::setting;

/// What goes through a gate.
#[derive(Default)]
pub struct Gated;

#[customization]
impl Gated {
    /// Wait until it is opened, and count how often that was.
    #[setup_task(hash = setting("TESTLAB_TEXT", String::new()))]
    async fn pass(&self, host: &Host) -> Result<()> {
        let gate = setting("TESTLAB_GATE", String::new());
        if !gate.is_empty() {
            tokio::fs::read(gate).await?;
        }
        let before =
            if host.exists("/count").await? { host.read_to_string("/count").await? } else { String::new() };
        host.write("/count", format!("{before}+")).await
    }
}

/// The machine.
#[machine_model]
pub struct Keeper {
    /// What it waits for.
    #[customize]
    pub gated: Gated,
}

/// The machine alone.
#[layout(name = "testlab", implementation = Simulated)]
pub struct Gate {
    /// It.
    pub keeper: Keeper,
}
