//! Acceptance scenarios of setup tasks and of deployment, and weaknesses of the original, that no other test is about: each function
//! says which.

#![expect(clippy::unwrap_used, reason = "a test ends where something is not as it must be")]

use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use carthage::backend::Simulated;
use carthage::deploy::{Access, Deployment, Options, Reason, Report, Selection};
use carthage::event::{Event, Events, Sink};
use carthage::layout::Layout;
use carthage::prelude::*;
use carthage_e2e::paper::PaperLab;
use carthage_e2e::program;

async fn with<L: Layout>(base: &Path, options: Options) -> Deployment {
    let options = Options { state_dir: Some(base.to_owned()), parallel: 1, ..options };
    Deployment::open::<L>(Access::Change, options).await.unwrap().0
}

async fn deploys<L: Layout>(base: &Path) -> Report {
    with::<L>(base, Options::default()).await.deploy(&Selection::all()).await.unwrap()
}

fn done(report: &Report) -> Vec<&str> {
    report.done.iter().map(|step| step.thing.as_str()).collect()
}

mod order {
    use super::*;

    /// Says in which order they run.
    #[derive(Default)]
    pub(crate) struct Steps;

    #[customization]
    impl Steps {
        /// After what is written behind it.
        #[setup_task(after = second)]
        async fn last(&self, _: &Host) -> Result<()> {
            Ok(())
        }

        /// The first that is written and waits for nobody.
        #[setup_task]
        async fn second(&self, _: &Host) -> Result<()> {
            Ok(())
        }

        /// Right before it.
        #[setup_task(before = second)]
        async fn first(&self, _: &Host) -> Result<()> {
            Ok(())
        }

        /// Before it, too.
        #[setup_task(before = second)]
        async fn also_first(&self, _: &Host) -> Result<()> {
            Ok(())
        }
    }

    /// Has two of one type.
    #[machine_model]
    pub(crate) struct Machine {
        /// One.
        #[customize]
        pub(crate) one: Steps,
        /// The other.
        #[customize]
        pub(crate) other: Steps,
    }

    /// Two machines.
    #[layout(name = "order", implementation = Simulated)]
    pub(crate) struct Site {
        /// One.
        #[member(name = "a")]
        pub(crate) a: Machine,
        /// The other.
        #[member(name = "b")]
        pub(crate) b: Machine,
    }
}

/// 14.3 `order_override`, W-A22, W-A14, W-A38: tasks run in one order that `after` and `before` make of that of the source; two customizations of
/// one type are two, and so are their stamps, and those of two machines.
#[tokio::test]
async fn an_order_is_kept_and_no_two_are_taken_for_one() {
    let base = tempfile::tempdir().unwrap();
    let report = deploys::<order::Site>(base.path()).await;
    let tasks = |machine: &str, field: &str| {
        ["first", "also_first", "second", "last"]
            .map(|task| format!("task:{machine}/{field}.{task}"))
            .to_vec()
    };
    let of = |machine: &str| {
        [vec![format!("machine:{machine}")], tasks(machine, "one"), tasks(machine, "other")].concat()
    };
    assert_eq!(done(&report), [of("a"), of("b")].concat());
    for machine in ["a", "b"] {
        let stamps = base.path().join("order/cache/stamps").join(machine).join("@stamps.ndjson");
        let stamps = std::fs::read_to_string(stamps).unwrap();
        let ran: std::collections::BTreeSet<_> = stamps
            .lines()
            .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap())
            .filter(|stamp| stamp["state"] == "ran")
            .map(|stamp| stamp["task"].to_string())
            .collect();
        assert_eq!(ran.len(), 8, "of {machine}: {ran:?}");
    }
    assert!(deploys::<order::Site>(base.path()).await.done.is_empty());
}

mod hashed {
    use super::*;

    pub(crate) static TEXT: Mutex<&str> = Mutex::new("one");
    pub(crate) static EDITION: AtomicUsize = AtomicUsize::new(1);

    /// Renders a text, of an edition.
    pub(crate) struct Page {
        /// What is rendered.
        pub(crate) text: &'static str,
        /// What tells whether it has to be.
        pub(crate) edition: usize,
    }

    #[customization]
    impl Page {
        /// Render it.
        #[setup_task(hash = self.edition)]
        async fn render(&self, host: &Host) -> Result<()> {
            host.write("/page", self.text).await
        }
    }

    /// Has it.
    #[machine_model]
    pub(crate) struct Web {
        /// As it is now.
        #[customize(Page { text: *TEXT.lock().unwrap_or_else(PoisonError::into_inner), edition: EDITION.load(Ordering::SeqCst) })]
        pub(crate) page: Page,
    }

    /// One.
    #[layout(name = "hashed", implementation = Simulated)]
    pub(crate) struct Site {
        /// One.
        pub(crate) web: Web,
    }
}

/// 14.3 `hash_func`, `mako_hash`: another value with the same hash changes nothing, and another hash does.
#[tokio::test]
async fn what_the_hash_does_not_tell_changes_nothing() {
    let base = tempfile::tempdir().unwrap();
    let page = async || {
        let deployment = with::<hashed::Site>(base.path(), Options::default()).await;
        deployment.machine("web").unwrap().read("/page").await.unwrap()
    };
    assert_eq!(done(&deploys::<hashed::Site>(base.path()).await).len(), 2);
    *hashed::TEXT.lock().unwrap() = "two";
    assert!(deploys::<hashed::Site>(base.path()).await.done.is_empty());
    assert_eq!(page().await, b"one");
    hashed::EDITION.store(2, Ordering::SeqCst);
    assert_eq!(done(&deploys::<hashed::Site>(base.path()).await), ["task:web/page.render"]);
    assert_eq!(page().await, b"two");
}

mod failing {
    use super::*;

    pub(crate) static FAILS: AtomicBool = AtomicBool::new(false);
    pub(crate) static ASKED: AtomicUsize = AtomicUsize::new(0);

    /// Fails when it is told to.
    #[derive(Default)]
    pub(crate) struct Job;

    #[customization]
    impl Job {
        /// Do it.
        #[setup_task]
        async fn work(&self, _: &Host) -> Result<()> {
            match FAILS.load(Ordering::SeqCst) {
                true => Err("told to fail".into()),
                false => Ok(()),
            }
        }

        /// Look at it.
        #[setup_task(after = work)]
        async fn look(&self, _: &Host) -> Result<()> {
            Ok(())
        }

        #[invalidator(look)]
        async fn seen(&self, _: &Host) -> Result<bool> {
            ASKED.fetch_add(1, Ordering::SeqCst);
            Ok(true)
        }
    }

    /// Has it.
    #[machine_model]
    pub(crate) struct Worker {
        /// It.
        #[customize]
        pub(crate) job: Job,
    }

    /// One.
    #[layout(name = "failing", implementation = Simulated)]
    pub(crate) struct Site {
        /// One.
        pub(crate) worker: Worker,
    }
}

#[derive(Default)]
struct Seen(std::sync::Arc<Mutex<Vec<String>>>);

impl Sink for Seen {
    fn event(&self, event: &Event) {
        let told = match event {
            Event::Begun { thing, .. } => format!("begun {thing}"),
            Event::Done { thing, .. } => format!("done {thing}"),
            Event::Failed { thing, .. } => format!("failed {thing}"),
            _ => return,
        };
        self.0.lock().unwrap().push(told);
    }
}

/// 14.3 `failure_forces_rerun`, `setup_task_events`, W-A23 (upstream 118): a task that is forced and fails runs again, whatever it was before; each event
/// is told once, and of what has nothing to do none; an invalidator is asked once in a run.
#[tokio::test]
async fn a_failure_makes_a_task_run_again_and_events_tell_of_it() {
    let base = tempfile::tempdir().unwrap();
    let run = async |forced: bool| {
        let seen = std::sync::Arc::new(Mutex::new(Vec::new()));
        let options = Options { events: Events::new(Seen(seen.clone())), ..Options::default() };
        let deployment = with::<failing::Site>(base.path(), options).await;
        let report = match forced {
            true => {
                let work =
                    Selection { include: vec!["worker/job.work".parse().unwrap()], ..Selection::all() };
                deployment.run(&work).await.unwrap()
            }
            false => deployment.deploy(&Selection::all()).await.unwrap(),
        };
        (report, std::mem::take(&mut *seen.lock().unwrap()))
    };
    let (report, told) = run(false).await;
    assert!(report.is_complete());
    let tasks = [
        "begun task:worker/job.work",
        "done task:worker/job.work",
        "begun task:worker/job.look",
        "done task:worker/job.look",
    ];
    let of_tasks: Vec<_> = told.iter().filter(|told| told.contains("task:")).collect();
    assert_eq!(of_tasks, tasks);
    let asked = failing::ASKED.swap(0, Ordering::SeqCst);
    assert_eq!(asked, 0, "it never ran, so nobody needs to ask");
    let (report, told) = run(false).await;
    assert_eq!((report.done.len(), told.len(), failing::ASKED.swap(0, Ordering::SeqCst)), (0, 0, 1));

    failing::FAILS.store(true, Ordering::SeqCst);
    let (report, told) = run(true).await;
    assert_eq!(report.failed[0].thing, "task:worker/job.work");
    assert!(told.contains(&"failed task:worker/job.work".to_owned()), "{told:?}");
    failing::FAILS.store(false, Ordering::SeqCst);
    let deployment = with::<failing::Site>(base.path(), Options::default()).await;
    let plan = deployment.plan(&Selection::all()).await.unwrap();
    assert_eq!(plan.steps[0].thing, "task:worker/job.work");
    assert!(matches!(plan.steps[0].why, Reason::Failed { .. }), "{plan:?}");
    drop(deployment);
    assert_eq!(run(false).await.0.done[0].thing, "task:worker/job.work");
}

mod deployment {
    use super::*;

    /// A wire.
    #[network(v4 = "10.42.0.0/24", pool = "10.42.0.5-10.42.0.9")]
    pub(crate) struct Lab;

    /// On it.
    #[machine_model]
    pub(crate) struct Server {
        /// The wire.
        #[link]
        pub(crate) eth0: Link<Lab>,
    }

    /// It stays.
    #[machine_model]
    #[policy(destroy = retain)]
    pub(crate) struct Store;

    /// A group.
    #[enclave(domain = "inside")]
    pub(crate) struct Group {
        /// In it.
        pub(crate) server: Server,
    }

    /// One is in a group.
    #[layout(name = "deployment", implementation = Simulated)]
    pub(crate) struct Site {
        /// The wire.
        pub(crate) lab: Lab,
        /// In a group.
        pub(crate) group: Group,
        /// Kept.
        pub(crate) store: Store,
    }

    /// The group is gone.
    #[layout(name = "deployment", implementation = Simulated)]
    pub(crate) struct Less {
        /// Kept.
        pub(crate) store: Store,
    }

    /// There is nothing.
    #[layout(name = "deployment", implementation = Simulated)]
    pub(crate) struct Nothing {}
}

/// 14.4 `run_deployment_simple`, `find_orphans`, `deploy_destroy`, W-A34: what is nested is found; orphans are what no layout has, and nothing else; a plan of the
/// destruction leaves no mark, a policy keeps what it says, and what exists afterwards is what the report tells.
#[tokio::test]
async fn a_life_of_a_layout() {
    use deployment::{Less, Nothing, Site};
    let base = tempfile::tempdir().unwrap();
    let report = deploys::<Site>(base.path()).await;
    assert!(report.is_complete());
    assert_eq!(done(&report), ["network:lab", "machine:server.inside", "machine:store"]);
    let orphans = async |deployment: Deployment| deployment.plan(&Selection::all()).await.unwrap().orphans;
    assert!(orphans(with::<Site>(base.path(), Options::default()).await).await.is_empty());
    let less = orphans(with::<Less>(base.path(), Options::default()).await).await;
    assert_eq!(less, ["machine:server.inside", "network:lab"]);
    let all = orphans(with::<Nothing>(base.path(), Options::default()).await).await;
    assert_eq!(all, ["machine:server.inside", "machine:store", "network:lab"]);

    let deployment = with::<Site>(base.path(), Options::default()).await;
    let planned = deployment.plan_destroy(&Selection::all()).await.unwrap();
    let again = deployment.plan_destroy(&Selection::all()).await.unwrap();
    let steps: Vec<_> = planned.steps.iter().map(|step| &*step.thing).collect();
    assert_eq!((steps.len(), format!("{planned:?}")), (2, format!("{again:?}")));
    assert!(planned.notes[0].contains("machine:store stays"), "{planned:?}");
    let report = deployment.destroy(&Selection::all()).await.unwrap();
    assert_eq!(done(&report), steps);
    assert_eq!(steps, ["machine:server.inside", "network:lab"]);
    let status = deployment.status(&Selection::all()).await.unwrap();
    let left: Vec<_> = status
        .machines
        .iter()
        .filter(|machine| machine.state == "running")
        .map(|machine| &*machine.name)
        .collect();
    assert_eq!(left, ["store"]);
}

/// W-A8: nothing at all to deploy or to destroy is no error.
#[tokio::test]
async fn nothing_is_no_error() {
    let base = tempfile::tempdir().unwrap();
    let deployment = with::<deployment::Nothing>(base.path(), Options::default()).await;
    let all = Selection::all();
    assert!(deployment.plan(&all).await.unwrap().steps.is_empty());
    assert!(deployment.deploy(&all).await.unwrap().is_complete());
    assert!(deployment.plan_destroy(&all).await.unwrap().steps.is_empty());
    assert!(deployment.destroy(&all).await.unwrap().is_complete());
    drop(deployment);
    assert_eq!(std::fs::read_dir(base.path()).unwrap().count(), 0);
}

/// Leaves a mark each time.
struct Mark;

#[customization]
impl Mark {
    /// Leave it.
    #[setup_task]
    async fn leave(&self, host: &Host) -> Result<()> {
        let before = host.read("/marks").await.unwrap_or_default();
        host.write("/marks", [&before[..], b"x"].concat()).await
    }
}

/// W-A27: one customization is applied to two machines, and again to one of them; it has run once on each.
#[tokio::test]
async fn a_customization_is_applied_as_often_as_wanted() {
    let base = tempfile::tempdir().unwrap();
    assert!(deploys::<order::Site>(base.path()).await.is_complete());
    let deployment = with::<order::Site>(base.path(), Options::default()).await;
    let mark = Mark;
    for machine in ["a", "b", "a"] {
        deployment.apply(machine, "extra", &mark).await.unwrap();
    }
    for machine in ["a", "b"] {
        assert_eq!(deployment.machine(machine).unwrap().read("/marks").await.unwrap(), b"x");
    }
}

/// W-A5: things that need each other are an error that names them; what exists of them can be destroyed all the same.
#[test]
fn a_circle_is_told_and_what_exists_can_be_destroyed() {
    let mut lab = PaperLab::new(program::find("testlab", env!("CARGO_BIN_EXE_testlab")));
    lab.ends_well("deploy");
    lab.edits = &[("TESTLAB_CIRCLE", "true")];
    for command in ["plan", "deploy"] {
        let refused = lab.run(command, &[]);
        let told =
            String::from_utf8_lossy(&refused.stderr).into_owned() + &String::from_utf8_lossy(&refused.stdout);
        assert!(!refused.status.success() && told.contains("things need each other"), "{told}");
        assert!(told.contains("machine:gateway") && told.contains("machine:worker-1"), "{told}");
    }
    assert!(lab.world().machines.values().all(|machine| machine.runs), "nothing was touched");
    lab.ends_well("destroy");
    assert!(lab.world().machines.is_empty());
}

mod promised {
    use super::*;

    #[network(v4 = "10.9.0.0/24")]
    pub(crate) struct Lan;

    /// Has an address of its own.
    #[machine_model]
    pub(crate) struct Server {
        #[link(address = "10.9.0.5")]
        eth0: Link<Lan>,
    }

    #[layout(name = "promised", implementation = Simulated)]
    pub(crate) struct Site {
        pub(crate) lan: Lan,
        /// Was called otherwise.
        pub(crate) server: Server,
    }
}

/// A first run that is killed before it makes a machine has given it an address. Called otherwise, it gets that all the same.
#[tokio::test]
async fn an_address_that_was_promised_to_what_never_was_is_free() {
    use carthage::state::{Assignment, Dirs, Store};
    let base = tempfile::tempdir().unwrap();
    let dirs = Dirs::find("promised", Some(base.path())).unwrap();
    let promised = Assignment {
        network: "lan".to_owned(),
        address: Some("10.9.0.5".parse().unwrap()),
        mac: Some([2, 0, 0, 0, 0, 1]),
    };
    let eth0 = ("www".to_owned(), "eth0".to_owned());
    Store::open(&dirs, "deploy").unwrap().assign(&[(eth0, promised)].into()).unwrap();
    let report = deploys::<promised::Site>(base.path()).await;
    assert!(report.is_complete(), "{:?}", report.failed);
    let known = carthage::state::Snapshot::read(&dirs).unwrap().assignments;
    let whose: Vec<_> = known.into_keys().map(|(machine, _)| machine).collect();
    assert_eq!(whose, ["server"]);
}
