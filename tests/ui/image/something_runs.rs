use carthage::prelude::*;

#[network(v4 = "10.37.0.0/24", pool = "10.37.0.5-10.37.0.25")]
struct Lab;

#[derive(Default)]
struct Daemon;

#[customization]
impl Daemon {
    #[setup_task]
    async fn serve(&self, host: &Host) -> Result<()> {
        host.spawn(["httpd"]).await
    }
}

#[image(root = "/srv/roots/debian")]
struct Web {
    #[link]
    eth0: Link<Lab>,
}

#[image(root = "/srv/roots/debian")]
struct Served {
    #[customize]
    daemon: Daemon,
}

fn main() {}
