use carthage::prelude::*;

struct Site {
    port: u16,
}

#[customization]
impl Site {
    #[setup_task(hash = self.prot)]
    async fn index(&self, host: &Host) -> Result<()> {
        host.write("/index", self.port.to_string()).await
    }

    #[setup_task(hash = std::time::Instant::now())]
    async fn serve(&self, host: &Host) -> Result<()> {
        host.write("/serve", "").await
    }
}

fn main() {}
