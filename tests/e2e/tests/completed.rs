//! Acceptance scenarios of setup tasks: what a `check_completed` says, with and without a time.

#![expect(clippy::unwrap_used, reason = "a test ends where something is not as it must be")]

use std::path::Path;
use std::sync::Mutex;
use std::time::{Duration, SystemTime};

use carthage::backend::Simulated;
use carthage::deploy::{Access, Deployment, Options, Selection};
use carthage::prelude::*;

/// Since when the program is built, if it is.
static BUILT: Mutex<Option<SystemTime>> = Mutex::new(None);

/// A program.
#[derive(Default)]
struct App;

#[customization]
impl App {
    /// Fetch what it is made from.
    #[setup_task]
    async fn source(&self, _: &Host) -> Result<()> {
        Ok(())
    }

    /// Build it.
    #[setup_task(after = source)]
    async fn build(&self, _: &Host) -> Result<()> {
        *BUILT.lock().unwrap() = Some(SystemTime::now());
        Ok(())
    }

    /// It is as old as what was built.
    #[check_completed(build)]
    async fn is_built(&self, _: &Host) -> Result<Completed> {
        Ok(BUILT.lock().unwrap().map_or(Completed::Not, Completed::At))
    }

    /// Hand it out.
    #[setup_task(after = build)]
    async fn ship(&self, _: &Host) -> Result<()> {
        Ok(())
    }
}

/// Has it.
#[machine_model]
struct Builder {
    /// It.
    #[customize]
    app: App,
}

/// One.
#[layout(name = "completed", implementation = Simulated)]
struct Site {
    /// One.
    builder: Builder,
}

async fn open(base: &Path, access: Access) -> (Deployment, Placed<Site>) {
    let options = Options { state_dir: Some(base.to_owned()), ..Options::default() };
    Deployment::open::<Site>(access, options).await.unwrap()
}

/// What a plan says of tasks, which is what is done then; after which there is nothing to do.
async fn deploys(base: &Path) -> Vec<String> {
    let said = |steps: &[carthage::deploy::Step]| -> Vec<String> {
        let tasks =
            steps.iter().filter_map(|step| Some((step.thing.strip_prefix("task:builder/app.")?, step)));
        tasks.map(|(task, step)| format!("{task}: {}", step.why)).collect()
    };
    let plan = open(base, Access::Look).await.0.plan(&Selection::all()).await.unwrap();
    let report = open(base, Access::Change).await.0.deploy(&Selection::all()).await.unwrap();
    let done = said(&report.done);
    if plan.steps.iter().all(|step| step.action.word() != "ask") {
        assert_eq!(said(&plan.steps), done);
    }
    let again = open(base, Access::Look).await.0.plan(&Selection::all()).await.unwrap();
    assert!(again.steps.is_empty(), "{again:?}");
    done
}

/// 14.3 `check_completed`, ST-6, W-A20: what is done is not run, what is not is; with a time, it counts as having run then. What is older than what
/// it comes after runs again, and its source counts for nothing.
#[tokio::test]
async fn what_is_done_since_a_time_counts_as_having_run_then() {
    const HOUR: Duration = Duration::from_secs(3600);
    let base = tempfile::tempdir().unwrap();
    let base = base.path();
    let since = async || {
        let (_deployment, site) = open(base, Access::Look).await;
        let stamp = site.builder.task(task!(Builder.app.build)).last_run().unwrap();
        assert_eq!(Some(stamp.time()), *BUILT.lock().unwrap());
    };
    let built = async |at| {
        *BUILT.lock().unwrap() = at;
        let done = deploys(base).await;
        since().await;
        done
    };
    assert_eq!(
        deploys(base).await,
        ["source: never ran", "build: not done: `is_built` said no", "ship: never ran"]
    );
    since().await;
    // Somebody has built it again, by a clock that is ahead: who comes after it runs once.
    for at in [SystemTime::now(), SystemTime::now() + HOUR] {
        let done = built(Some(at)).await;
        assert!(
            matches!(&done[..], [one] if one.starts_with("ship: `build` was done later, at 2")),
            "{done:?}"
        );
    }
    // Somebody has brought an older one.
    let older = built(Some(SystemTime::now() - HOUR)).await;
    assert_eq!(older, ["build: `source` ran later, in run 1", "ship: `build` runs before it"]);
    assert_eq!(built(None).await, ["build: not done: `is_built` said no", "ship: `build` runs before it"]);
}
