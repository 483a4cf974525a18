//! Start dependencies of the user's own.

use std::sync::Mutex;

use carthage::deploy::{Access, Deployment, Options, Selection};
use carthage::event::Events;
use carthage::inject::Injectable;
use carthage::machine::start::{StartDependency, Starting};
use carthage::prelude::*;

use super::{Opened, Shared, Told, Toy, named};

/// Waits for nothing, and notes for whom.
#[injectable]
struct Noted(Mutex<Vec<String>>);

impl StartDependency for Noted {
    async fn wait(&self, starting: &Starting) -> Result<()> {
        starting.tell("noted");
        let port = starting.scope().find(Port::KEY).is_some();
        self.0.lock().unwrap().push(format!("{} {port}", starting.machine().name()));
        Ok(())
    }
}

#[injectable]
struct Port(u16);

/// Holds for nobody.
#[injectable]
struct Refused(&'static str);

impl StartDependency for Refused {
    async fn wait(&self, _: &Starting) -> Result<()> {
        Err(self.0.into())
    }
}

injection_key!(Other: Refused);

impl StartDependency for Other {
    async fn wait(&self, starting: &Starting) -> Result<()> {
        // After the first.
        tokio::task::yield_now().await;
        (**self).wait(starting).await
    }
}

#[machine_model]
struct Web {
    #[provide(Port(80))]
    port: Arc<Port>,
}

#[machine_model]
#[ignore_dependency(with = Noted)]
struct Free;

#[machine_model]
#[depends_on(with = Refused)]
#[depends_on(with = Other)]
struct Unlucky;

#[layout(name = "values", implementation = Toy)]
#[depends_on(with = Noted)]
struct Values {
    #[provide(Noted(Mutex::default()))]
    noted: Arc<Noted>,
    #[provide(Refused("the license server says no"))]
    refused: Arc<Refused>,
    #[provide(Other(Refused("the moon is full")))]
    other: Arc<Other>,
    web: Web,
    free: Free,
    unlucky: Unlucky,
}

#[tokio::test]
async fn a_start_dependency_of_the_users_own() {
    let state = tempfile::tempdir().unwrap();
    let told = Arc::new(Told::default());
    let options = Options {
        state_dir: Some(state.path().to_owned()),
        events: Events::new(Shared(told.clone())),
        ..Options::default()
    };
    let (deployment, values) = Deployment::open::<Values>(Access::Change, options).await.unwrap();
    let all = Opened { deployment, told, state };
    let plan = all.deployment.plan(&named("web")).await.unwrap();
    assert_eq!(plan.steps[0].details, ["waits for `Noted`"]);
    let report = all.deployment.deploy(&Selection::all()).await.unwrap();
    let mut noted = values.noted.0.lock().unwrap().clone();
    noted.sort();
    assert_eq!(noted, ["unlucky false", "web true"], "each with its own scope; one ignores it");
    let [failure] = &report.failed[..] else { panic!("{report:?}") };
    assert_eq!(failure.causes, ["it cannot start after `Refused`", "the license server says no"]);
    assert!(
        all.texts().contains(
            &"machine:unlucky: it cannot start for another reason, too: it cannot start after `Other`: the moon is full"
                .to_owned()
        ),
        "{:?}",
        all.texts()
    );
    all.destroy().await;
}
