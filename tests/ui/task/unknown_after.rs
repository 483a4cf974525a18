use carthage::prelude::*;

struct Site {
    port: u16,
}

#[customization]
impl Site {
    #[setup_task(hash = self.port)]
    async fn index(&self, host: &Host) -> Result<()> {
        host.write("/index", "").await
    }

    #[setup_task(after = idnex)]
    async fn serve(&self, host: &Host) -> Result<()> {
        host.write("/serve", "").await
    }

    #[invalidator(server)]
    async fn serving(&self, host: &Host) -> Result<bool> {
        host.port_open(self.port).await
    }
}

fn main() {}
