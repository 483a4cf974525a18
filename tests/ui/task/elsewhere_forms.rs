use carthage::prelude::*;

#[machine_model]
struct Mirror;

#[derive(Default)]
struct Fetch<T>(T);

#[customization]
impl<T: Send + Sync + 'static> Fetch<T> {
    #[setup_task(after = Mirror.site)]
    async fn no_task(&self, host: &Host) -> Result<()> {
        host.write("/srv/fetched", "yes").await
    }

    #[setup_task(depend_on = Mirror.site.index)]
    async fn a_task(&self, host: &Host) -> Result<()> {
        host.write("/srv/fetched", "yes").await
    }

    #[setup_task(depend_on_to_judge = (Mirror, called = mirror_b))]
    async fn not_called(&self, host: &Host) -> Result<()> {
        host.write("/srv/fetched", "yes").await
    }

    #[setup_task(depends_on = Mirror)]
    async fn misspelt(&self, host: &Host) -> Result<()> {
        host.write("/srv/fetched", "yes").await
    }

    #[setup_task(after = T.site.index)]
    async fn of_a_parameter(&self, host: &Host) -> Result<()> {
        host.write("/srv/fetched", "yes").await
    }
}

fn main() {}
