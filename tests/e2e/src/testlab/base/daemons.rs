//! As many services as wanted.

use carthage::prelude::*;

use super::site::ran;

/// As many services as wanted.
pub struct Daemons {
    /// How many.
    pub count: u8,
}

#[customization]
impl Daemons {
    /// Spawn them.
    #[setup_task(hash = self.count)]
    async fn spawned(&self, host: &Host) -> Result<()> {
        ran(host, "daemons.spawned").await?;
        for number in 1..=self.count {
            let script = format!("echo daemon {number} of {}; exec sleep 1000{number}", self.count);
            host.spawn(["sh", "-c", &script]).await?;
        }
        Ok(())
    }
}
