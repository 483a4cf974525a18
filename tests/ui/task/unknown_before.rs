use carthage::prelude::*;

struct Site;

#[customization]
impl Site {
    #[setup_task(before = sreve)]
    async fn index(&self, host: &Host) -> Result<()> {
        host.write("/srv/index.html", "hello").await
    }

    #[setup_task]
    async fn serve(&self, host: &Host) -> Result<()> {
        host.run(["httpd"]).await.map(drop)
    }

    #[invalidator(indx)]
    async fn gone(&self, host: &Host) -> Result<bool> {
        host.port_open(80).await
    }
}

fn main() {}
