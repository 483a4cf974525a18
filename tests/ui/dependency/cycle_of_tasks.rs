use carthage::prelude::*;

#[derive(Default)]
struct Site;

#[customization]
impl Site {
    #[setup_task(after = Worker.fetch.fetch)]
    async fn index(&self, host: &Host) -> Result<()> {
        host.write("/srv/index", "hello").await
    }
}

#[machine_model]
struct Mirror {
    #[customize]
    site: Site,
}

#[derive(Default)]
struct Fetch;

#[customization]
impl Fetch {
    #[setup_task(after = Mirror.site.index)]
    async fn fetch(&self, host: &Host) -> Result<()> {
        host.write("/srv/fetched", "yes").await
    }
}

#[machine_model]
struct Worker {
    #[customize]
    fetch: Fetch,
}

#[derive(Default)]
struct Alone;

#[customization]
impl Alone {
    #[setup_task(depend_on = Single)]
    async fn wait(&self, host: &Host) -> Result<()> {
        host.write("/srv/fetched", "yes").await
    }
}

#[machine_model]
struct Single {
    #[customize]
    alone: Alone,
}

#[layout(implementation = Sandbox)]
struct Industrial {
    mirror: Mirror,
    worker: Worker,
    single: Single,
}

fn main() {}
