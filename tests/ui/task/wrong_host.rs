use carthage::prelude::*;

struct Site {
    port: u16,
}

#[customization]
impl Site {
    #[setup_task]
    async fn index(&self, host: &Link<()>) -> Result<()> {
        let _ = (host, self.port);
        Ok(())
    }

    #[setup_task]
    async fn serve(&self) -> Result<()> {
        Ok(())
    }

    #[setup_task]
    async fn check(&self, host: &Host, port: u16) -> Result<()> {
        host.write("/port", port.to_string()).await
    }

    #[setup_task]
    async fn nobody(host: &Host) -> Result<()> {
        host.write("/nobody", "").await
    }
}

fn main() {}
