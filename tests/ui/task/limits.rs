use carthage::prelude::*;

struct Site;

#[customization]
impl Site {
    #[setup_task(timeout_seconds = 0)]
    async fn index(&self, host: &Host) -> Result<()> {
        host.write("/srv/index", "hello").await
    }

    #[setup_task(retries = 1000, timeout_seconds = "60")]
    async fn serve(&self, host: &Host) -> Result<()> {
        host.write("/srv/serve", "hello").await
    }

    #[setup_task(timeout = 60)]
    async fn tell(&self, host: &Host) -> Result<()> {
        host.write("/srv/tell", "hello").await
    }
}

fn main() {}
