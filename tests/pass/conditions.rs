//! `#[cfg(…)]` on fields and tasks.

use carthage::prelude::*;
use carthage_tests::Paper;

#[network(v4 = "10.1.0.0/24", pool = "10.1.0.1-10.1.0.9")]
struct Lan;

#[cfg(any())]
struct Missing;

#[machine_model]
struct Web {
    #[cfg(any())]
    #[customize]
    missing: Missing,
    #[cfg(all())]
    #[link]
    eth0: Link<Lan>,
    #[customize]
    site: Site,
}

#[derive(Default)]
struct Site;

#[customization]
impl Site {
    #[cfg(any())]
    #[setup_task]
    async fn never(&self, host: &Host, #[inject] missing: &Missing) -> Result<()> {
        host.write("/never", missing).await
    }

    #[setup_task(after = never)]
    async fn always(&self, host: &Host) -> Result<()> {
        host.write("/always", "").await
    }

    #[setup_task(after = [never, always])]
    async fn last(&self, host: &Host) -> Result<()> {
        host.write("/last", "").await
    }
}

#[layout(implementation = Paper)]
struct Top {
    lan: Lan,
    #[cfg(any())]
    missing: Missing,
    web: Web,
}

fn main() {
    use carthage::Customization;
    assert_eq!(const { Top::placement("web") }.node().parts.len(), 2);
    let tasks = Site::NODE.tasks;
    assert_eq!(tasks.iter().map(|task| task.name).collect::<Vec<_>>(), ["always", "last"]);
    assert_eq!(tasks[1].after, [0]);
}
