use carthage::prelude::*;

#[machine_model(runas_user = "www data")]
struct Web;

#[machine_model(runas_user = "007")]
struct Bond;

struct Site;

#[customization]
impl Site {
    #[setup_task(user = "-u root")]
    async fn serve(&self, host: &Host) -> Result<()> {
        host.spawn(["httpd"]).await
    }

    #[setup_task(user = "")]
    async fn index(&self, host: &Host) -> Result<()> {
        host.write("/srv/index.html", "hello").await
    }

    #[setup_task(user = 33)]
    async fn number(&self, host: &Host) -> Result<()> {
        host.write("/srv/index.html", "hello").await
    }
}

fn main() {}
