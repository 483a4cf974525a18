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
struct Worker;

async fn again(mirror: Placed<Mirror>, worker: Placed<Worker>) -> Result<()> {
    mirror.task(task!(Mirror.site.indx)).force().await?;
    mirror.task(task!(Mirror.index)).force().await?;
    mirror.tasks(tasks!(Mirror)).last_run().await?;
    mirror.tasks(tasks!(Mirror.sites)).last_run().await?;
    worker.task(task!(Mirror.site.index)).force().await
}

fn main() {}
