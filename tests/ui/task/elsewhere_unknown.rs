use carthage::prelude::*;

#[derive(Default)]
struct Site;

#[customization]
impl Site {
    #[setup_task]
    async fn index(&self, host: &Host) -> Result<()> {
        host.write("/srv/index", "hello").await
    }

    #[setup_task]
    async fn publish(&self, host: &Host) -> Result<()> {
        host.write("/srv/published", "yes").await
    }
}

#[machine_model]
struct Mirror {
    #[customize]
    site: Site,
}

#[machine_model]
struct Bare;

#[derive(Default)]
struct Fetch;

#[customization]
impl Fetch {
    #[setup_task(after = Mirror.site.indx)]
    async fn no_such_task(&self, host: &Host) -> Result<()> {
        host.write("/srv/fetched", "yes").await
    }

    #[setup_task(after = Mirror.sit.index)]
    async fn no_such_field(&self, host: &Host) -> Result<()> {
        host.write("/srv/fetched", "yes").await
    }

    #[setup_task(after = Bare.site.index)]
    async fn no_customization(&self, host: &Host) -> Result<()> {
        host.write("/srv/fetched", "yes").await
    }

    #[setup_task(after = Site.site.index)]
    async fn no_model(&self, host: &Host) -> Result<()> {
        host.write("/srv/fetched", "yes").await
    }
}

fn main() {}
