//! Where a case of the suite takes place: three deployed machines, which are gone afterwards without a trace.

use std::panic::{AssertUnwindSafe, resume_unwind};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use carthage::Machine;
use carthage::deploy::{Access, Deployment, Options, Selection};
use carthage::event::{Event, Events, Sink};
use carthage::layout::Layout;
use carthage_e2e::footprint::Footprint;
use carthage_e2e::host;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;

/// A layout with the three machines that the suite needs.
pub(crate) trait Three: Layout {
    /// Two that share a network, and one that shares none with them.
    fn three(&self) -> [&Machine; 3];
}

/// A case of the suite.
pub(crate) type Case = fn(Ground) -> BoxFuture<'static, carthage::Result<()>>;

/// What a case has to work on.
pub(crate) struct Ground {
    /// A running machine.
    pub(crate) one: Machine,
    /// Another on its network.
    pub(crate) other: Machine,
    /// A third, on a network of its own.
    pub(crate) stranger: Machine,
    /// All that the library has told.
    pub(crate) told: Told,
    /// A directory on this host, empty.
    pub(crate) scratch: PathBuf,
    state: PathBuf,
}

/// Keeps events.
#[derive(Clone, Default)]
pub(crate) struct Told(Arc<Mutex<Vec<Event>>>);

impl Told {
    /// What they say.
    pub(crate) fn text(&self) -> String {
        format!("{:?}", self.0.lock().unwrap())
    }
}

impl Sink for Told {
    fn event(&self, event: &Event) {
        self.0.lock().unwrap().push(event.clone());
    }
}

/// Runs a case on freshly deployed machines, and makes sure that nothing is left of them.
pub(crate) fn with<L: Three>(name: &str, case: Case) {
    if !host::can_make_sandboxes(name) {
        return;
    }
    let dir = tempfile::Builder::new().prefix("carthage-e2e-").tempdir().unwrap();
    let (state, scratch) = (dir.path().join("state"), dir.path().join("scratch"));
    std::fs::create_dir(&scratch).unwrap();
    let told = Told::default();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let layout_state = state.join(L::NAME);
    let (outcome, footprint) = runtime.block_on(async {
        let options = Options {
            state_dir: Some(state.clone()),
            events: Events::new(told.clone()),
            ..Options::default()
        };
        let (deployment, layout) = Deployment::open::<L>(Access::Change, options).await.unwrap();
        let report = deployment.deploy(&Selection::all()).await.unwrap();
        assert!(report.is_complete(), "{report:?}");
        let [one, other, stranger] = layout.three().map(Machine::clone);
        let ground = Ground { one, other, stranger, told: told.clone(), scratch, state };
        let outcome = AssertUnwindSafe(case(ground)).catch_unwind().await;
        let footprint = tokio::task::spawn_blocking(move || Footprint::of(&layout_state)).await.unwrap();
        let report = deployment.destroy(&Selection::all()).await.unwrap();
        assert!(report.is_complete() || outcome.is_err(), "{report:?}");
        (outcome, footprint)
    });
    match outcome {
        Ok(Ok(())) => footprint.is_gone(),
        Ok(Err(error)) => panic!("{error:?}"),
        Err(panic) => {
            footprint.kill();
            resume_unwind(panic)
        }
    }
}

/// The first argument of the later process.
const LATER: &str = "__later";

impl Ground {
    /// What another process, started now, gets when it runs this in the machine of this name; it says whether the machine runs,
    /// and then what the command wrote.
    pub(crate) async fn later(&self, machine: &str, argv: &[&str]) -> String {
        let mut command = tokio::process::Command::new(std::env::current_exe().unwrap());
        command.args([LATER.as_ref(), self.state.as_os_str(), machine.as_ref()]).args(argv);
        let output = command.output().await.unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    }
}

/// What the later process does; `None` in every other.
#[expect(clippy::print_stdout, reason = "its answer")]
pub(crate) fn later_main() -> Option<ExitCode> {
    let mut arguments = std::env::args().skip(1);
    if arguments.next()? != LATER {
        return None;
    }
    let (state, machine) = (arguments.next()?, arguments.next()?);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let options = Options { state_dir: Some(state.into()), ..Options::default() };
        let (deployment, _) =
            Deployment::open::<crate::layouts::InSandbox>(Access::Look, options).await.unwrap();
        let machine = deployment.machine(&machine).unwrap();
        println!("{:?}", machine.is_running().await.unwrap());
        if machine.is_running().await.unwrap() == Some(true) {
            println!("{}", machine.run(arguments.collect::<Vec<_>>()).await.unwrap().text());
        }
    });
    Some(ExitCode::SUCCESS)
}

/// Waits until it is so.
pub(crate) async fn until<F: Future<Output = bool>>(what: &str, is_so: impl Fn() -> F) {
    let waiting = async {
        while !is_so().await {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    assert!(tokio::time::timeout(Duration::from_secs(60), waiting).await.is_ok(), "waited in vain: {what}");
}
