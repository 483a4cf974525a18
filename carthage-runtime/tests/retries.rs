//! What an implementation has failed to do is tried again as often as the user wants: that, and nothing else.

#![expect(clippy::unwrap_used, reason = "a test ends where something is not as it must be")]

use std::path::Path;
use std::sync::{Arc, Mutex};

use carthage::backend::Simulated;
use carthage::deploy::{Access, Deployment, Options, Report, Selection};
use carthage::event::{Event, Events, Sink};
use carthage::layout::Layout;
use carthage::machine::engine::Rehearsal;
use carthage::prelude::*;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

#[derive(Default)]
struct Steps;

#[customization(container)]
impl Steps {
    #[setup_task]
    async fn motd(&self, root: &Root) -> Result<()> {
        root.write("/etc/motd", "hello").await
    }
}

#[network(v4 = "10.9.0.0/24", pool = "10.9.0.5-10.9.0.25")]
struct Lan;

#[machine_model]
struct Web {
    #[link]
    eth0: Link<Lan>,
    #[customize]
    steps: Steps,
}

#[layout(name = "retries", implementation = Simulated)]
struct Site {
    lan: Lan,
    web: Web,
}

/// The same machine, of another root.
#[machine_model(name = "web", root = "/srv/roots/other")]
struct Other {
    #[link]
    eth0: Link<Lan>,
    #[customize]
    steps: Steps,
}

#[layout(name = "retries", implementation = Simulated)]
struct Anew {
    lan: Lan,
    web: Other,
}

/// The warnings, and what is to be done at the first.
#[derive(Clone, Default)]
struct Told {
    warnings: Arc<Mutex<Vec<String>>>,
    stops: Option<CancellationToken>,
}

impl Sink for Told {
    fn event(&self, event: &Event) {
        if let Event::Warning { thing, text } = event {
            self.warnings.lock().unwrap().push(format!("{thing}: {text}"));
            self.stops.iter().for_each(CancellationToken::cancel);
        }
    }
}

async fn open(base: &Path, faults: &[&str], retries: u64, told: &Told) -> Deployment {
    open_of::<Site>(base, faults, retries, told).await
}

async fn open_of<L: Layout>(base: &Path, faults: &[&str], retries: u64, told: &Told) -> Deployment {
    let faults = faults.iter().map(|fault| fault.parse().unwrap()).collect();
    let rehearsal = Arc::new(Rehearsal { faults, ..Rehearsal::default() });
    let (state_dir, events) = (Some(base.to_owned()), Events::new(told.clone()));
    let stop = told.stops.clone().unwrap_or_default();
    let options = Options { state_dir, rehearsal, events, retries, stop, ..Options::default() };
    Deployment::open::<L>(Access::Change, options).await.unwrap().0
}

/// What is told while all is deployed.
async fn deploys(base: &Path, faults: &[&str], retries: u64) -> (Report, Vec<String>) {
    let told = Told::default();
    let deployment = open(base, faults, retries, &told).await;
    let report = deployment.deploy(&Selection::all()).await.unwrap();
    let warnings = std::mem::take(&mut *told.warnings.lock().unwrap());
    (report, warnings)
}

/// All is as a run would leave it in which nothing went wrong.
async fn is_settled(base: &Path) {
    let deployment = open(base, &[], 0, &Told::default()).await;
    let plan = deployment.plan(&Selection::all()).await.unwrap();
    assert!(plan.steps.is_empty(), "{plan:?}");
    assert!(deployment.status(&Selection::all()).await.unwrap().unfinished.is_empty());
    assert!(deployment.machine("web").unwrap().exists("/etc/motd").await.unwrap());
}

#[tokio::test(start_paused = true)]
async fn what_failed_is_done_from_where_it_has_come_to() {
    for faults in [
        &["find:lan=fail#1"][..],
        &["create:lan=fail#1"],
        &["create:lan=half#1"],
        &["find:web=fail#1"],
        &["create:web=fail#1"],
        &["create:web=half#1"],
        &["start:web=fail#1"],
        &["start:web=half#1"],
        &["introduce:web=fail#1"],
        &["introduce:web=half#1"],
        &["create:web=half#1", "start:web=fail#1"],
    ] {
        let base = tempfile::tempdir().unwrap();
        let base = base.path();
        let (report, _) = deploys(base, faults, 0).await;
        assert_eq!(report.failed.len(), 1, "{faults:?}: {report:?}");
        drop(std::fs::remove_dir_all(base.join("retries")));

        let (report, warnings) = deploys(base, faults, 2).await;
        assert!(report.is_complete(), "{faults:?}: {report:?}");
        let done: Vec<_> =
            report.done.iter().map(|step| format!("{} {}", step.action.word(), step.thing)).collect();
        assert_eq!(
            done,
            ["create network:lan", "run task:web/steps.motd", "create machine:web"],
            "{faults:?}: {report:?}"
        );
        assert_eq!(warnings.len(), faults.len(), "{faults:?}: {warnings:?}");
        for warning in &warnings {
            assert!(warning.contains(": try 1 of 3 failed: cannot "), "{warning}");
            assert!(warning.ends_with("; once more in 1s"), "{warning}");
        }
        is_settled(base).await;
    }
}

/// What was made anew already is not made anew once more.
#[tokio::test(start_paused = true)]
async fn what_is_half_made_is_not_made_twice() {
    let base = tempfile::tempdir().unwrap();
    let base = base.path();
    assert!(deploys(base, &[], 0).await.0.is_complete());
    let deployment = open_of::<Anew>(base, &["start:web=fail#1"], 1, &Told::default()).await;
    let report = deployment.deploy(&Selection::all()).await.unwrap();
    assert!(report.is_complete(), "{report:?}");
    drop(deployment);
    let journal = std::fs::read_to_string(base.join("retries/journal/2.ndjson")).unwrap();
    let begun = |action: &str| {
        let action = format!("\"action\":\"{action}\"");
        journal.lines().filter(|line| line.contains("machine:web") && line.contains(&action)).count()
    };
    assert_eq!([begun("destroy"), begun("create"), begun("start")], [1, 1, 1], "{journal}");
}

#[tokio::test(start_paused = true)]
async fn it_is_not_tried_for_ever() {
    let base = tempfile::tempdir().unwrap();
    let begun = Instant::now();
    let (report, warnings) = deploys(base.path(), &["start:web=fail"], 3).await;
    assert_eq!((begun.elapsed().as_secs(), warnings.len()), (1 + 2 + 4, 3), "{warnings:?}");
    let [failure] = &report.failed[..] else { panic!("{report:?}") };
    assert_eq!(failure.causes[0], "cannot start `web`");
}

#[tokio::test(start_paused = true)]
async fn nothing_is_tried_again_once_the_run_is_to_stop() {
    let base = tempfile::tempdir().unwrap();
    let told = Told { stops: Some(CancellationToken::new()), ..Told::default() };
    let begun = Instant::now();
    let deployment = open(base.path(), &["create:lan=fail#1"], 5, &told).await;
    let report = deployment.deploy(&Selection::all()).await.unwrap();
    assert_eq!(begun.elapsed().as_secs(), 0);
    assert_eq!(report.failed.len(), 1, "{report:?}");
    assert_eq!(told.warnings.lock().unwrap().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn stopping_starting_and_destroying_are_tried_again_too() {
    let base = tempfile::tempdir().unwrap();
    let base = base.path();
    assert!(deploys(base, &[], 0).await.0.is_complete());
    let all = &Selection::all();
    let told = &Told::default();
    let deployment = open(base, &["stop:web=half#1"], 1, told).await;
    assert!(deployment.stop(all).await.unwrap().is_complete());
    drop(deployment);
    let deployment = open(base, &["start:web=fail#1"], 1, told).await;
    assert!(deployment.start(all).await.unwrap().is_complete());
    drop(deployment);
    let deployment = open(base, &["remove:web=half#1", "remove:lan=fail#1"], 1, told).await;
    let report = deployment.destroy(all).await.unwrap();
    assert!(report.is_complete(), "{report:?}");
    let warnings = told.warnings.lock().unwrap();
    let things: Vec<_> = warnings.iter().map(|text| text.split(": ").next().unwrap()).collect();
    assert_eq!(things, ["machine:web", "machine:web", "machine:web", "network:lan"]);
}

#[test]
fn what_has_to_be_another_is_not_tried_again() {
    use carthage::ErrorKind::*;
    for kind in [Usage, Unsupported, Locked, Outdated, Corrupt, Task, Injection, Interrupted, NotFound] {
        assert!(!kind.may_pass(), "{kind:?}");
    }
    assert!(Host.may_pass() && Timeout.may_pass() && Command.may_pass());
}
