//! What machines start after, and what they wait for: toys that are deployed, started and destroyed.

#![expect(clippy::unwrap_used, reason = "a test ends where something is not as it must be")]

mod engine;
mod processes;
mod transport;

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use carthage::deploy::{Access, Deployment, Options, Report, Selection};
use carthage::event::{Event, Events, Sink};
use carthage::layout::Layout;
use carthage::machine::engine::{Engine, MachineSpec, Site};
use carthage::machine::implementation::Implementation;
use carthage::machine::start::{Prerequisite, StartDependency, Starting};
use carthage::model::Placement;
use carthage::prelude::*;
use carthage::{Error, ErrorKind};
use tokio_util::sync::CancellationToken;

/// Machines out of directories and processes of this host.
#[derive(Debug)]
struct Toy;

impl Implementation for Toy {
    const NAME: &'static str = "Toy";

    async fn open(site: Site) -> Result<Arc<dyn Engine>, Error> {
        Ok(Arc::new(engine::ToyEngine::new(&site)))
    }
}

carthage::capabilities!(Toy: Power, Located, FileTree);

/// The same, but its machines do not wait for mirrors, and one waits for another.
#[derive(Debug)]
struct Hasty;

impl Implementation for Hasty {
    const NAME: &'static str = "Hasty";

    async fn open(site: Site) -> Result<Arc<dyn Engine>, Error> {
        Ok(Arc::new(engine::ToyEngine::collecting(&site, hasty)))
    }
}

carthage::capabilities!(Hasty: Power, Located, FileTree);

fn hasty(machine: &MachineSpec, mut collected: Vec<Prerequisite>) -> Vec<Prerequisite> {
    collected.retain(|one| one.machine.as_deref() != Some("mirror"));
    if machine.hostname == "late" {
        collected.push(Prerequisite::machine("web"));
    }
    collected
}

/// A layout, opened, and what it told.
struct Opened {
    deployment: Deployment,
    told: Arc<Told>,
    state: tempfile::TempDir,
}

#[derive(Default)]
struct Told {
    events: Mutex<Vec<Event>>,
    /// Cancelled when a command has written something.
    stop: CancellationToken,
    stops: bool,
}

impl Sink for Told {
    fn event(&self, event: &Event) {
        if self.stops && matches!(event, Event::Output { .. }) {
            self.stop.cancel();
        }
        self.events.lock().unwrap_or_else(PoisonError::into_inner).push(event.clone());
    }
}

async fn opened<L: Layout>(stops: bool) -> Result<Opened, Error> {
    opened_in::<L>(tempfile::tempdir().unwrap(), stops).await
}

async fn opened_in<L: Layout>(state: tempfile::TempDir, stops: bool) -> Result<Opened, Error> {
    let told = Arc::new(Told { stops, ..Told::default() });
    let options = Options {
        state_dir: Some(state.path().to_owned()),
        events: Events::new(Shared(told.clone())),
        stop: told.stop.clone(),
        ..Options::default()
    };
    let (deployment, _) = Deployment::open::<L>(Access::Change, options).await?;
    Ok(Opened { deployment, told, state })
}

struct Shared(Arc<Told>);

impl Sink for Shared {
    fn event(&self, event: &Event) {
        self.0.event(event);
    }
}

fn named(name: &str) -> Selection {
    Selection { include: vec![name.parse().unwrap()], exclude: Vec::new() }
}

impl Opened {
    /// The next run.
    async fn again<L: Layout>(self) -> Self {
        let Self { deployment, state, .. } = self;
        drop(deployment);
        opened_in::<L>(state, false).await.unwrap()
    }

    /// What deploying this machine takes in, besides it.
    async fn needs(&self, name: &str) -> Vec<String> {
        let plan = self.deployment.plan(&named(name)).await.unwrap();
        let mut names: Vec<_> =
            plan.steps.iter().map(|step| step.thing.trim_start_matches("machine:").to_owned()).collect();
        names.retain(|other| other != name);
        names.sort();
        names
    }

    async fn deploy(&self, name: &str) -> Report {
        self.deployment.deploy(&named(name)).await.unwrap()
    }

    fn texts(&self) -> Vec<String> {
        let text = |event: &Event| match event {
            Event::Progress { thing, text } | Event::Warning { thing, text } => {
                Some(format!("{thing}: {text}"))
            }
            _ => None,
        };
        self.told.events.lock().unwrap().iter().filter_map(text).collect()
    }

    async fn exists(&self, name: &str) -> bool {
        self.deployment.machine(name).unwrap().presence().await.unwrap().identity().is_some()
    }

    async fn destroy(&self) {
        assert!(self.deployment.destroy(&Selection::all()).await.unwrap().is_complete());
    }
}

#[machine_model]
struct OfLayout;

#[machine_model]
struct OfEnclave;

#[machine_model]
struct OfModel;

#[machine_model]
#[depends_on(OfModel)]
struct Plain;

#[machine_model(override_dependencies = false)]
#[depends_on(OfModel)]
struct Same;

#[machine_model(override_dependencies = true)]
#[depends_on(OfModel)]
struct Alone;

#[machine_model(override_dependencies = Shop)]
#[depends_on(OfModel)]
struct PastShop;

#[machine_model(override_dependencies = Matrix)]
#[depends_on(OfModel)]
struct PastMatrix;

#[machine_model]
#[depends_on(OfModel)]
#[ignore_dependency(OfEnclave)]
struct Careless;

#[enclave]
#[depends_on(OfEnclave)]
struct Shop {
    plain: Plain,
    same: Same,
    alone: Alone,
    past_shop: PastShop,
    past_matrix: PastMatrix,
    careless: Careless,
    of_enclave: OfEnclave,
}

#[enclave(override_dependencies = true)]
struct Apart {
    #[member(name = "apart")]
    plain: Plain,
}

#[layout(name = "matrix", implementation = Toy)]
#[depends_on(OfLayout)]
struct Matrix {
    of_layout: OfLayout,
    of_model: OfModel,
    shop: Shop,
    apart: Apart,
}

#[tokio::test]
async fn what_counts_at_which_override() {
    let all = opened::<Matrix>(false).await.unwrap();
    let (layout, enclave, model) = ("of-layout", "of-enclave", "of-model");
    assert_eq!(all.needs("plain").await, [enclave, layout, model]);
    assert_eq!(all.needs("same").await, [enclave, layout, model]);
    assert_eq!(all.needs("alone").await, [layout, model], "the model's own machine needs the layout's");
    assert_eq!(all.needs("past-shop").await, [layout, model]);
    assert_eq!(all.needs("past-matrix").await, [layout, model]);
    assert_eq!(all.needs("careless").await, [layout, model]);
    assert_eq!(all.needs("of-enclave").await, [layout]);
    assert_eq!(all.needs("of-layout").await, Vec::<String>::new());
    let directly = |path: &str| -> Vec<_> {
        Matrix::placement(path).starts_after().into_iter().map(Placement::path).collect()
    };
    assert_eq!(directly("shop.plain"), ["of_layout", "of_model", "shop.of_enclave"]);
    assert_eq!(directly("shop.alone"), ["of_model"]);
    assert_eq!(directly("shop.past_shop"), ["of_layout", "of_model"]);
    assert_eq!(directly("shop.past_matrix"), ["of_model"]);
    assert_eq!(directly("shop.careless"), ["of_layout", "of_model"]);
    assert_eq!(directly("apart.plain"), ["of_model"]);
    // The one graph: what is taken in, in which order, and taken away.
    let report = all.deploy("plain").await;
    let done: Vec<_> = report.done.iter().map(|step| step.thing.as_str()).collect();
    assert_eq!((done.first(), done.last()), (Some(&"machine:of-layout"), Some(&"machine:plain")), "{done:?}");
    let plan = all.deployment.plan_destroy(&Selection::all()).await.unwrap();
    let gone: Vec<_> = plan.steps.iter().map(|step| step.thing.as_str()).collect();
    assert_eq!((gone.first(), gone.last()), (Some(&"machine:plain"), Some(&"machine:of-layout")), "{gone:?}");
    let stays = all.deployment.destroy(&named("of-enclave")).await.unwrap();
    assert_eq!(stays.skipped[0].why, "`machine:plain` needs it and is not selected");
    all.destroy().await;
}

#[machine_model]
struct Gateway;

#[machine_model]
#[depends_on(
    Gateway,
    command = ["sh", "-c", "echo try >> \"$TOY/tries\"; test \"$(wc -l < \"$TOY/tries\")\" -ge 3"],
    wait_limit_seconds = 30
)]
struct Patient;

#[machine_model]
#[depends_on(Gateway, command = ["sh", "-c", "echo no route to it >&2; exit 7"], wait_limit_seconds = 1)]
struct Hopeless;

#[machine_model]
#[depends_on(Gateway, command = ["sh", "-c", "echo trying; exit 1"], wait_limit_seconds = 3600)]
struct Endless;

#[machine_model]
#[depends_on(Hopeless)]
struct Behind;

#[layout(name = "commands", implementation = Toy)]
struct Commands {
    gateway: Gateway,
    patient: Patient,
    hopeless: Hopeless,
    behind: Behind,
    endless: Endless,
}

#[tokio::test]
async fn a_command_that_succeeds_at_the_third_try() {
    let all = opened::<Commands>(false).await.unwrap();
    let plan = all.deployment.plan(&named("patient")).await.unwrap();
    let [gateway, patient] = &plan.steps[..] else { panic!("{plan:?}") };
    assert_eq!(gateway.thing, "machine:gateway");
    let details = patient.details.join("\n");
    assert!(
        details.starts_with("waits for `sh -c ") && details.ends_with("` on `gateway`, for at most 30 s")
    );
    let begun = Instant::now();
    let report = all.deploy("patient").await;
    assert!(report.is_complete(), "{report:?}");
    assert!(begun.elapsed() >= Duration::from_secs(3), "it pauses for one second, and then for two");
    let tries = async |all: &Opened| {
        let gateway = all.deployment.machine("gateway").unwrap();
        gateway.run(["sh", "-c", "wc -l < \"$TOY/tries\""]).await.unwrap().text()
    };
    assert_eq!(tries(&all).await.trim(), "3");
    assert_eq!(all.texts(), Vec::<String>::new(), "two failures are nothing to tell of");
    // Nothing to start is nothing to wait for; what is started waits again.
    all.deploy("patient").await;
    assert_eq!(tries(&all).await.trim(), "3");
    let all = all.again::<Commands>().await;
    assert!(all.deployment.stop(&named("patient")).await.unwrap().is_complete());
    assert!(all.deployment.start(&named("patient")).await.unwrap().is_complete());
    assert_eq!(tries(&all).await.trim(), "4");
    all.destroy().await;
}

#[tokio::test]
async fn a_command_that_runs_into_its_limit() {
    let all = opened::<Commands>(false).await.unwrap();
    let report = all.deploy("behind").await;
    let [failure] = &report.failed[..] else { panic!("{report:?}") };
    assert_eq!(failure.thing, "machine:hopeless");
    assert_eq!(
        failure.causes.join(": "),
        "`sh -c echo no route to it >&2; exit 7` on `gateway` had not succeeded after 1 s: it was tried 2 times; the last \
         time it failed with exit status 7: no route to it"
    );
    assert!(failure.hint.as_ref().unwrap().contains("exec gateway -- sh -c"), "{failure:?}");
    assert_eq!(report.skipped[0].thing, "machine:behind");
    assert!(!all.exists("hopeless").await, "it was not even made");
    all.destroy().await;
}

#[tokio::test]
async fn waiting_ends_when_the_run_is_to_stop() {
    let all = opened::<Commands>(true).await.unwrap();
    let begun = Instant::now();
    let report = all.deploy("endless").await;
    assert!(begun.elapsed() < Duration::from_secs(60), "it does not wait for its hour");
    assert_eq!(report.interrupted, ["machine:endless"]);
    assert!(report.failed.is_empty() && !all.exists("endless").await, "{report:?}");
    assert!(all.exists("gateway").await, "what was begun is finished");
    all.again::<Commands>().await.destroy().await;
}

/// Waits for nothing, and notes for whom.
#[injectable]
struct Noted(Mutex<Vec<String>>);

impl StartDependency for Noted {
    async fn wait(&self, starting: &Starting) -> Result<()> {
        starting.tell("noted");
        let port = starting.scope().find(<Port as carthage::inject::Injectable>::KEY).is_some();
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

#[machine_model]
struct Mirror;

#[machine_model(start_dependencies = Self::only_the_gateway)]
#[depends_on(Mirror)]
#[depends_on(Gateway)]
struct Choosy;

impl Choosy {
    fn only_the_gateway(machine: Placement, mut collected: Vec<Prerequisite>) -> Vec<Prerequisite> {
        assert_eq!(machine.name(), "choosy");
        assert_eq!(collected.iter().map(|one| one.declared_by).collect::<Vec<_>>(), ["choosy", "choosy", ""]);
        collected.retain(|one| one.machine.as_deref() == Some("gateway"));
        collected
    }
}

#[machine_model]
#[depends_on(Mirror)]
struct Late;

#[layout(name = "collected", implementation = Hasty)]
#[depends_on(Mirror)]
struct Collected {
    mirror: Mirror,
    gateway: Gateway,
    web: Web,
    late: Late,
    #[member(name = "choosy")]
    choosy: Choosy,
}

#[tokio::test]
async fn a_model_and_an_implementation_collect_otherwise() {
    let all = opened::<Collected>(false).await.unwrap();
    assert_eq!(all.needs("choosy").await, ["gateway"]);
    assert_eq!(all.needs("late").await, ["web"]);
    assert_eq!(all.needs("web").await, Vec::<String>::new());
}

#[machine_model(start_dependencies = |_, _| vec![Prerequisite::machine("nobody")])]
struct Astray;

#[layout(name = "astray", implementation = Toy)]
struct Lost {
    astray: Astray,
}

#[machine_model(start_dependencies = |_, _| vec![Prerequisite::machine("two")])]
struct One;

#[machine_model]
#[depends_on(One)]
struct Two;

#[layout(name = "circle", implementation = Toy)]
struct Circle {
    one: One,
    two: Two,
}

#[tokio::test]
async fn what_is_collected_makes_sense() {
    let cause = |error: Error| (error.kind(), carthage::chain(&error));
    assert_eq!(
        opened::<Lost>(false).await.map_err(cause).err().unwrap(),
        (ErrorKind::Usage, "the layout cannot be resolved: `astray` is to start after `nobody`, which is not in the layout: its model or `Toy` \
         has made that of its start dependencies".to_owned())
    );
    assert_eq!(
        opened::<Circle>(false).await.map_err(cause).err().unwrap(),
        (ErrorKind::Usage, "the layout cannot be resolved: machines start after each other: `one` -> `two` -> `one`: a model or an \
         implementation has made that of their start dependencies".to_owned())
    );
}
