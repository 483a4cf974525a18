use std::time::Duration;

use carthage::prelude::*;

struct Site {
    port: u16,
}

#[customization]
impl Site {
    #[setup_task]
    async fn serve(&self, host: &Host) -> Result<()> {
        host.write("/port", self.port.to_string()).await
    }

    #[check_completed(serve)]
    async fn is_serving(&self, host: &Host) -> Result<Duration> {
        host.read_to_string("/since").await?;
        Ok(Duration::from_secs(60))
    }
}

fn main() {}
