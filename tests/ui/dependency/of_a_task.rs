use carthage::prelude::*;

#[derive(Default)]
struct Site;

#[customization]
impl Site {
    #[setup_task]
    async fn index(&self, host: &Host) -> Result<()> {
        host.write("/srv/index", "hello").await
    }
}

#[machine_model]
struct Mirror {
    #[customize]
    site: Site,
}

#[machine_model]
struct Absent;

#[derive(Default)]
struct Fetch;

#[customization]
impl Fetch {
    #[setup_task(depend_on = Absent)]
    async fn not_in_the_layout(&self, host: &Host) -> Result<()> {
        host.write("/srv/fetched", "yes").await
    }

    #[setup_task(after = Mirror.site.index)]
    async fn one_of_several(&self, host: &Host) -> Result<()> {
        host.write("/srv/fetched", "yes").await
    }

    #[setup_task(depend_on_to_judge = (Mirror, name = mirror_c))]
    async fn in_no_field(&self, host: &Host) -> Result<()> {
        host.write("/srv/fetched", "yes").await
    }

    #[setup_task(depend_on = Industrial)]
    async fn around(&self, host: &Host) -> Result<()> {
        host.write("/srv/fetched", "yes").await
    }
}

#[machine_model]
struct Worker {
    #[customize]
    fetch: Fetch,
}

#[layout(implementation = Sandbox)]
struct Industrial {
    mirror_a: Mirror,
    #[member(name = "mirror-b")]
    mirror_b: Mirror,
    worker: Worker,
}

fn main() {}
