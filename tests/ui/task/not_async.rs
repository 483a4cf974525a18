use carthage::prelude::*;

struct Site {
    port: u16,
}

#[customization]
impl Site {
    #[setup_task]
    fn index(&self, host: &Host) -> Result<()> {
        let _ = (host, self.port);
        Ok(())
    }

    #[setup_task(after = index)]
    async fn serve(&self, host: &Host) -> Result<()> {
        host.write("/serve", "").await
    }
}

fn main() {}
