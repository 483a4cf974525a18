use carthage::prelude::*;

struct Docker;

struct Podman;

#[network(v4 = "10.1.0.0/24", pool = "10.1.0.2-10.1.0.9")]
struct Lan;

#[derive(Default)]
struct Site;

#[customization]
impl Site {
    /// Serve it.
    #[setup_task]
    async fn serve(&self, host: &Host) -> Result<()> {
        host.write("/srv/page", "page").await
    }
}

#[machine_model]
struct Mirror;

#[machine_model(implementation = Podman, memory_mb = 256)]
struct Worker {
    #[link]
    eth0: Link<Lan>,
    #[customize]
    site: Site,
}

#[layout(implementation = Docker)]
struct Industrial {
    lan: Lan,
    mirror: Mirror,
    worker: Worker,
}

fn main() {}
