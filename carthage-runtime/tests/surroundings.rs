//! What surrounds the tasks of a customization: entered once, before the first that runs, and left however they end.

#![expect(clippy::unwrap_used, reason = "a test ends where something is not as it must be")]

use std::cell::{Cell, RefCell};
use std::future::pending;

use carthage::backend::Simulated;
use carthage::customize::{Ending, OwnHost, WorkplaceOn};
use carthage::deploy::{Abort, Access, Deployment, Options, Report, Selection};
use carthage::prelude::*;
use tokio_util::sync::CancellationToken;

thread_local! {
    /// What happened.
    static HAPPENED: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
    /// What is done at `second`: "fails", "hangs", "panics", "stops", "waits".
    static SECOND: Cell<&'static str> = const { Cell::new("") };
    /// What cannot be done: "enter", "leave".
    static FAILS: Cell<&'static str> = const { Cell::new("") };
    /// Counts the texts.
    static TEXT: Cell<u32> = const { Cell::new(0) };
    static STOP: RefCell<CancellationToken> = RefCell::default();
    static ABORT: RefCell<Abort> = RefCell::default();
}

fn happens(what: impl Into<String>) {
    HAPPENED.with_borrow_mut(|happened| happened.push(what.into()));
}

#[track_caller]
fn happened(expected: &[&str]) {
    assert_eq!(HAPPENED.take(), expected);
}

/// A switch that takes what it is told when it is left.
struct Session {
    host: Machine,
}

impl OwnHost for Session {
    type From = Host;

    async fn open(host: &Host) -> Result<Self> {
        Ok(Self { host: host.machine().clone() })
    }

    async fn enter(&self) -> Result<()> {
        happens("enter");
        self.host.write("/session", "open").await?;
        if FAILS.get() == "enter" { Err("somebody else is in".into()) } else { Ok(()) }
    }

    async fn leave(&self, ending: Ending) -> Result<()> {
        // Takes as long as what it asks the machine, which runs.
        self.host.run(["true"]).await?;
        self.host.remove("/session").await?;
        happens(format!("leave {ending:?}"));
        if FAILS.get() == "leave" { Err("it is not taken".into()) } else { Ok(()) }
    }
}

impl WorkplaceOn<Simulated> for Session {}

#[derive(Default)]
struct Ports;

#[customization(host = Session)]
impl Ports {
    #[setup_task(hash = TEXT.get())]
    async fn first(&self, session: &Session) -> Result<()> {
        happens("first");
        assert!(session.host.exists("/session").await?);
        Ok(())
    }

    #[setup_task(hash = TEXT.get(), timeout_seconds = 5)]
    async fn second(&self, session: &Session) -> Result<()> {
        happens("second");
        assert!(session.host.exists("/session").await?);
        match SECOND.get() {
            "fails" => Err("as the test wants it".into()),
            "panics" => panic!("as the test wants it"),
            "stops" => {
                STOP.with_borrow(CancellationToken::cancel);
                Ok(())
            }
            "hangs" => pending().await,
            _ => Ok(()),
        }
    }

    #[setup_task(after = second, hash = TEXT.get())]
    async fn third(&self, _session: &Session) -> Result<()> {
        happens("third");
        Ok(())
    }

    #[invalidator(third)]
    async fn still(&self, session: &Session) -> Result<bool> {
        happens(if session.host.exists("/session").await? { "asked inside" } else { "asked" });
        Ok(true)
    }
}

#[machine_model]
struct Hub {}

#[machine_model]
#[depends_on(Hub)]
struct Switch {
    #[customize]
    ports: Ports,
}

#[layout(name = "surroundings", implementation = Simulated)]
struct Surrounded {
    hub: Hub,
    switch: Switch,
}

struct Lab(tempfile::TempDir);

impl Lab {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    async fn open(&self) -> (Deployment, Placed<Surrounded>) {
        STOP.set(CancellationToken::new());
        ABORT.set(Abort::default());
        let options = Options {
            state_dir: Some(self.0.path().to_owned()),
            stop: STOP.with_borrow(Clone::clone),
            abort: ABORT.with_borrow(Clone::clone),
            ..Options::default()
        };
        Deployment::open::<Surrounded>(Access::Change, options).await.unwrap()
    }

    /// What is to be done, and why.
    async fn plan(&self) -> Vec<String> {
        let (deployment, _) = self.open().await;
        let steps = deployment.plan(&Selection::all()).await.unwrap().steps;
        steps
            .iter()
            .map(|step| format!("{}: {}", step.thing.trim_start_matches("task:switch/ports."), step.why))
            .collect()
    }

    async fn deploy(&self) -> Report {
        self.open().await.0.deploy(&Selection::all()).await.unwrap()
    }

    /// Everything is there and done; nothing has happened since.
    async fn whole() -> Self {
        let lab = Self::new();
        SECOND.set("");
        FAILS.set("");
        assert!(lab.deploy().await.is_complete());
        HAPPENED.take();
        TEXT.set(TEXT.get() + 1);
        lab
    }
}

#[tokio::test]
async fn it_is_entered_once_and_left() {
    let lab = Lab::new();
    assert_eq!(lab.plan().await.len(), 5);
    happened(&[]);
    let report = lab.deploy().await;
    assert_eq!(report.done.len(), 5, "{report:?}");
    happened(&["enter", "first", "second", "third", "leave Done"]);
    // Where nothing runs, there is nothing to enter.
    assert!(lab.deploy().await.done.is_empty());
    happened(&["asked"]);
    // What is asked once it is entered is asked inside.
    let (deployment, layout) = lab.open().await;
    layout.switch.machine().stop(carthage::machine::GRACE).await.unwrap();
    layout.switch.task(task!(Switch.ports.second)).force().await.unwrap();
    happened(&["enter", "second", "leave Done"]);
    assert_eq!(layout.switch.machine().is_running().await.unwrap(), Some(false), "it is let go");
    drop(deployment);
}

#[tokio::test(start_paused = true)]
async fn it_is_left_however_a_task_ends() {
    for how in ["fails", "panics", "hangs"] {
        let lab = Lab::whole().await;
        SECOND.set(how);
        let report = lab.deploy().await;
        assert_eq!((report.failed.len(), report.skipped.len()), (1, 1), "{report:?}");
        happened(&["enter", "first", "second", "leave Failed"]);
        let plan = lab.plan().await;
        assert_eq!(plan, ["second: failed in run 2", "third: `second` runs before it"]);
    }
    // The first Ctrl-C finishes what was begun.
    let lab = Lab::whole().await;
    SECOND.set("stops");
    let report = lab.deploy().await;
    assert_eq!(report.interrupted, ["task:switch/ports.third"]);
    happened(&["enter", "first", "second", "leave Done"]);
    assert_eq!(lab.plan().await, ["third: `second` ran later, in run 2"]);
}

/// The second Ctrl-C does not wait for the task, but for this; what ran in it runs again, for nobody knows what became of it.
#[tokio::test]
async fn it_is_left_when_the_run_is_given_up() {
    let lab = Lab::whole().await;
    SECOND.set("hangs");
    let (deployment, layout) = lab.open().await;
    let abort = ABORT.with_borrow(Clone::clone);
    let reached = async {
        while !HAPPENED.with_borrow(|happened| happened.iter().any(|what| what == "second")) {
            tokio::task::yield_now().await;
        }
        abort.give_up();
        abort.is_over().await;
        happened(&["enter", "first", "second", "leave Aborted"]);
    };
    let all = Selection::all();
    let (report, ()) = tokio::join!(deployment.deploy(&all), reached);
    let report = report.unwrap();
    // What was there before it had come to its end.
    assert_eq!(
        (report.interrupted.iter().map(String::as_str).collect::<Vec<_>>(), report.unchanged),
        (vec!["machine:switch", "task:switch/ports.first", "task:switch/ports.second"], 1),
        "{report:?}"
    );
    drop((deployment, layout));
    let plan = lab.plan().await;
    assert_eq!(
        plan,
        [
            "first: was interrupted in run 2",
            "second: was interrupted in run 2",
            "third: `second` runs before it"
        ]
    );
}

#[tokio::test]
async fn what_cannot_be_entered_or_left_is_not_done() {
    let lab = Lab::whole().await;
    FAILS.set("enter");
    let report = lab.deploy().await;
    let said = report.failed[0].causes.join(" ");
    assert!(said.contains("`ports.first`") && said.contains("somebody else is in"), "{said}");
    assert_eq!(report.failed.len(), 2, "the second tries again");
    happened(&["enter", "enter"]);
    FAILS.set("leave");
    let report = lab.deploy().await;
    happened(&["enter", "first", "second", "third", "leave Done"]);
    let failed: Vec<_> = report.failed.iter().map(|failure| &*failure.thing).collect();
    assert_eq!(failed, ["task:switch/ports.first", "task:switch/ports.second", "task:switch/ports.third"]);
    assert!(
        report.failed[0].causes.join(" ").contains("it is not taken") && report.done.is_empty(),
        "{report:?}"
    );
    FAILS.set("");
    let plan = lab.plan().await;
    assert_eq!(plan, ["first: failed in run 3", "second: failed in run 3", "third: failed in run 3"]);
    assert!(lab.deploy().await.is_complete());
    assert_eq!(lab.plan().await, [""; 0]);
}
