use carthage::prelude::*;

#[machine_model(ip_address = "192.0.2.7", ssh_login_user = "admin")]
struct Mirror {
    #[customize]
    site: Site,
}

#[derive(Default)]
struct Site;

#[customization]
impl Site {
    #[setup_task(user = "www-data")]
    async fn index(&self, host: &Host) -> Result<()> {
        host.write("/srv/index.html", "hello").await
    }
}

#[layout(implementation = carthage::BareMetal)]
struct Industrial {
    mirror: Mirror,
}

fn main() {}
