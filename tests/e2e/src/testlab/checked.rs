//! A machine with a task that a check says is done, as soon as the first of what it does is there.

use carthage::backend::Simulated;
use carthage::prelude::*;

/// Two files that belong together.
#[derive(Default)]
pub struct Pair;

#[customization]
impl Pair {
    /// Write both.
    #[setup_task]
    async fn both(&self, host: &Host) -> Result<()> {
        host.write("/first", "there").await?;
        carthage::state::crash_point("between-both");
        host.write("/second", "there").await
    }

    /// Looks at one of them.
    #[check_completed(both)]
    async fn is_there(&self, host: &Host) -> Result<bool> {
        host.exists("/first").await
    }
}

/// Has them.
#[machine_model]
pub struct Keeper {
    /// Two files.
    #[customize]
    pub pair: Pair,
}

/// The layout.
#[layout(name = "testlab", implementation = Simulated)]
pub struct Testlab {
    /// One machine.
    pub keeper: Keeper,
}
