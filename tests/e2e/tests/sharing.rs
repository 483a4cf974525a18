//! `--only` and machines that share the links of others: what cannot work is refused, and what is planned is what happens.

#![expect(clippy::unwrap_used, reason = "a test ends where something is not as it must be")]

use std::path::Path;

use carthage::backend::Simulated;
use carthage::deploy::{Access, Deployment, Options, Selection, Step};
use carthage::layout::Layout;
use carthage::machine::implementation::Implementation;
use carthage::prelude::*;

/// The wire.
#[network(v4 = "10.41.0.0/24", pool = "10.41.0.5-10.41.0.9")]
pub struct Lab;

macro_rules! site {
    ($module:ident, $($link:tt)*) => {
        mod $module {
            use super::*;

            /// Has the links.
            #[machine_model]
            pub(crate) struct Router {
                /// Shared.
                #[link($($link)*)]
                pub(crate) eth0: Link<Lab>,
            }

            /// Has none of its own.
            #[machine_model(shares_links = Router)]
            pub(crate) struct Watcher;

            /// The two.
            #[layout(name = "sharing", implementation = Sandbox)]
            pub(crate) struct Site {
                /// The wire.
                pub(crate) lab: Lab,
                /// Its own.
                pub(crate) router: Router,
                /// The other's.
                pub(crate) watcher: Watcher,
            }
        }
    };
}

site!(before,);
site!(after, mtu = 1400);

async fn open<L: Layout>(base: &Path) -> Deployment {
    // What `Simulated` itself is not to be asked for, it takes in place of another.
    let instead = Some(<Simulated as Implementation>::NODE);
    let options = Options { state_dir: Some(base.to_owned()), instead, ..Options::default() };
    Deployment::open::<L>(Access::Change, options).await.unwrap().0
}

fn only(names: &[&str]) -> Selection {
    let include = names.iter().map(|name| name.parse().unwrap()).collect();
    Selection { include, only: true, ..Selection::all() }
}

fn words(steps: &[Step]) -> Vec<String> {
    steps.iter().map(|step| format!("{} {}", step.action.word(), step.thing)).collect()
}

/// What both the plan and the deployment say; or why both refuse.
async fn deploys<L: Layout>(base: &Path, selection: &Selection) -> std::result::Result<Vec<String>, String> {
    let deployment = open::<L>(base).await;
    let plan = deployment.plan(selection).await.map_err(|error| carthage::chain(&error));
    let report = deployment.deploy(selection).await.map_err(|error| carthage::chain(&error));
    assert_eq!(plan.as_ref().err(), report.as_ref().err());
    let (plan, report) = (plan?, report?);
    assert!(report.is_complete(), "{report:?}");
    assert_eq!(words(&plan.steps), words(&report.done), "the plan is what happens");
    Ok(words(&plan.steps))
}

#[tokio::test]
async fn whose_links_are_shared_must_be_there() {
    let base = tempfile::tempdir().unwrap();
    let refused = deploys::<before::Site>(base.path(), &only(&["watcher"])).await.unwrap_err();
    assert!(refused.contains("machine:router is needed, and is not there or does not run"), "{refused}");
    let done = deploys::<before::Site>(base.path(), &only(&["lab", "router"])).await.unwrap();
    assert_eq!(done, ["create network:lab", "create machine:router"]);
    assert_eq!(
        deploys::<before::Site>(base.path(), &only(&["watcher"])).await.unwrap(),
        ["create machine:watcher"]
    );
}

#[tokio::test]
async fn who_shares_links_does_not_lose_them() {
    let base = tempfile::tempdir().unwrap();
    deploys::<before::Site>(base.path(), &Selection::all()).await.unwrap();
    // The router would be restarted, and the watcher with it.
    let refused = deploys::<after::Site>(base.path(), &only(&["router"])).await.unwrap_err();
    assert!(refused.contains("machine:watcher would lose its network, and is not selected"), "{refused}");
    // What is planned for the router is not done, so nothing is to be done to the watcher either.
    assert_eq!(deploys::<after::Site>(base.path(), &only(&["watcher"])).await.unwrap(), Vec::<String>::new());
    let both = deploys::<after::Site>(base.path(), &only(&["router", "watcher"])).await.unwrap();
    assert_eq!(both, ["restart machine:router", "restart machine:watcher"]);
    // Back again: without `--only`, who shares is brought in.
    let router = Selection { only: false, ..only(&["router"]) };
    assert_eq!(deploys::<before::Site>(base.path(), &router).await.unwrap(), both);
}
