use carthage::block::{File, Package};
use carthage::prelude::*;

struct Site;

#[customization]
impl Site {
    #[setup_task]
    async fn packages(&self) -> Blocks {
        Blocks::new().with(Package::named("nginx"))
    }

    #[setup_task]
    fn pages(&self, host: &Host) -> Result<Blocks> {
        let _ = host;
        Ok(Blocks::new())
    }

    #[setup_task(user = "www-data")]
    fn config(&self) -> Blocks {
        Blocks::new().with(File::at("/etc/site.conf"))
    }

    #[check_completed(config)]
    async fn is_there(&self, host: &Host) -> Result<bool> {
        host.exists("/etc/site.conf").await
    }
}

struct Base;

#[customization(container)]
impl Base {
    #[setup_task]
    fn motd(&self) -> Blocks {
        Blocks::new().with(File::at("/etc/motd"))
    }
}

fn main() {}
