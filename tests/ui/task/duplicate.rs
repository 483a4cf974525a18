use carthage::prelude::*;

struct Site;

#[customization]
impl Site {
    #[setup_task]
    async fn index(&self, host: &Host) -> Result<()> {
        host.write("/srv/index.html", "hello").await
    }

    #[setup_task]
    async fn index(&self, host: &Host) -> Result<()> {
        host.write("/srv/other.html", "hello").await
    }
}

fn main() {}
