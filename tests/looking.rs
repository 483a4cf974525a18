//! Whoever only looks changes nothing, whatever the layout's own code asks for meanwhile.

use carthage::chain;
use carthage::deploy::{Access, Deployment, Options};
use carthage::prelude::*;

#[machine_model]
struct Mirror;

/// Wants the mirror to run, already when it is made.
#[injectable]
struct Index(String);

#[injectable]
impl Index {
    async fn new(#[inject] mirror: &Placed<Mirror>) -> Result<Self> {
        let guard = mirror.machine().machine_running().await?;
        let index = mirror.machine().run(["ls", "/srv"]).await?.text();
        guard.release().await?;
        Ok(Self(index))
    }
}

#[machine_model]
struct Reader {
    #[inject]
    index: Arc<Index>,
}

#[layout(name = "looking", implementation = Sandbox)]
struct Looking {
    mirror: Mirror,
    #[provide]
    index: Arc<Index>,
    reader: Reader,
}

/// What is made for a look may ask for a running machine: that is refused where it is asked for, not done on the side. Who may
/// change things says so when the layout is opened, by [`Access`].
#[tokio::test]
async fn what_is_asked_for_by_who_only_looks_is_not_started() {
    let state = tempfile::tempdir().unwrap();
    let options = Options { state_dir: Some(state.path().to_owned()), ..Options::default() };
    let error = Deployment::open::<Looking>(Access::Look, options).await.map(drop).unwrap_err();
    let said = chain(&error);
    assert!(said.contains("this command only looks, and may change nothing"), "{said}");
    assert!(said.contains("`index` of `looking`"), "{said}");
    assert_eq!(std::fs::read_dir(state.path()).unwrap().count(), 0, "nothing was written");
}
