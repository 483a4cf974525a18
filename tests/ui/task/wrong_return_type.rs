use carthage::prelude::*;

struct Site {
    port: u16,
}

#[customization]
impl Site {
    #[setup_task]
    async fn index(&self, host: &Host) {
        let _ = (host, self.port);
    }

    #[setup_task]
    async fn serve(&self, host: &Host) -> Result<bool> {
        host.port_open(80).await
    }

    #[check_completed(serve)]
    async fn served(&self, host: &Host) -> bool {
        host.port_open(80).await.is_ok()
    }
}

fn main() {}
