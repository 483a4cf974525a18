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
}

#[machine_model]
struct Mirror {
    #[customize]
    site: Site,
}

fn main() {}
