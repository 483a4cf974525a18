use carthage::prelude::*;

struct Site {
    port: u16,
}

#[customization]
impl Site {
    #[setup_task(after = serve)]
    async fn index(&self, host: &Host) -> Result<()> {
        host.write("/index", "").await
    }

    #[setup_task]
    async fn serve(&self, host: &Host) -> Result<()> {
        host.write("/serve", self.port.to_string()).await
    }

    #[setup_task(after = index, before = serve)]
    async fn check(&self, host: &Host) -> Result<()> {
        host.write("/check", "").await
    }

    #[setup_task(after = alone)]
    async fn alone(&self, host: &Host) -> Result<()> {
        host.write("/alone", "").await
    }
}

fn main() {}
