//! What is deployed while the source around it changes: it is told apart from what is new, keeps what is its own, and hears of nobody
//! twice.

#![expect(clippy::unwrap_used, reason = "a test ends where something is not as it must be")]

use std::path::Path;

use carthage::backend::Simulated;
use carthage::deploy::{Access, Action, Deployment, Options, Plan, Selection};
use carthage::layout::Layout;
use carthage::machine::engine::Rehearsal;
use carthage::prelude::*;
use carthage_e2e::paper_world::{PaperWorld, changes};

/// The wire.
#[network(v4 = "10.37.0.0/24", pool = "10.37.0.5-10.37.0.25")]
pub struct Wire;

/// Something on it.
#[machine_model]
pub struct Desk {
    /// Its address is from the pool.
    #[link]
    pub eth0: Link<Wire>,
}

/// Waits to be named.
#[machine_model]
#[policy(auto_deploy = false)]
pub struct Spare {
    /// Its address is from the pool.
    #[link]
    pub eth0: Link<Wire>,
}

/// Serves.
#[derive(Default)]
pub struct Serve;

#[customization]
impl Serve {
    /// Write the page.
    #[setup_task]
    async fn page(&self, host: &Host) -> Result<()> {
        host.write("/page", "hello").await
    }

    /// Serve it.
    #[setup_task(after = page)]
    async fn start(&self, host: &Host) -> Result<()> {
        host.spawn(["httpd"]).await
    }
}

/// With a service.
#[machine_model]
pub struct Server {
    /// What it does.
    #[customize]
    pub serve: Serve,
}

/// Without one.
#[machine_model(name = "server")]
pub struct Idle;

async fn open<L: Layout>(base: &Path, access: Access) -> Deployment {
    let options = Options { state_dir: Some(base.to_owned()), ..Options::default() };
    Deployment::open::<L>(access, options).await.unwrap().0
}

async fn open_struck<L: Layout>(base: &Path, fault: &str) -> Deployment {
    let rehearsal = Rehearsal { faults: vec![fault.parse().unwrap()], ..Rehearsal::default() };
    let options =
        Options { state_dir: Some(base.to_owned()), rehearsal: rehearsal.into(), ..Options::default() };
    Deployment::open::<L>(Access::Change, options).await.unwrap().0
}

async fn plan<L: Layout>(base: &Path, selection: &Selection) -> Result<Plan, carthage::Error> {
    open::<L>(base, Access::Look).await.plan(selection).await
}

async fn deploys<L: Layout>(base: &Path, selection: &Selection) {
    let report = open::<L>(base, Access::Change).await.deploy(selection).await.unwrap();
    assert!(report.is_complete(), "{report:?}");
}

fn pruning() -> Selection {
    Selection { prune: true, ..Selection::all() }
}

fn steps(plan: &Plan) -> Vec<String> {
    plan.steps.iter().map(|step| format!("{} {}", step.action.word(), step.thing)).collect()
}

fn services(base: &Path, machine: &str) -> Vec<String> {
    let world = PaperWorld::after(&changes(&base.join("source/simulated/world")));
    world.machines[machine].services.iter().cloned().collect()
}

/// Two desks, and a spare that gets the address behind theirs.
#[layout(name = "source", implementation = Simulated)]
pub struct WithGuest {
    /// The wire.
    pub wire: Wire,
    /// Takes the first address, and leaves.
    #[member(name = "guest")]
    pub guest: Desk,
    /// Stays.
    pub desk: Desk,
}

/// The guest has left, and there is a spare.
#[layout(name = "source", implementation = Simulated)]
pub struct WithSpare {
    /// The wire.
    pub wire: Wire,
    /// Stays.
    pub desk: Desk,
    /// Waits.
    pub spare: Spare,
}

/// What others are told of a machine that waits holds until it is made: an address that comes free meanwhile does not become its own.
#[tokio::test]
async fn what_waits_keeps_the_address_that_others_are_told() {
    let base = tempfile::tempdir().unwrap();
    deploys::<WithGuest>(base.path(), &Selection::all()).await;
    deploys::<WithSpare>(base.path(), &pruning()).await;
    let left = plan::<WithSpare>(base.path(), &pruning()).await.unwrap();
    assert!(left.is_empty(), "{left:?}");
    let spare = Selection { include: vec!["spare".parse().unwrap()], ..Selection::all() };
    assert_eq!(steps(&plan::<WithSpare>(base.path(), &spare).await.unwrap()), ["create machine:spare"]);
}

/// The server in one place.
#[layout(name = "source", implementation = Simulated)]
pub struct Here {
    /// Serves.
    pub server: Server,
}

/// In another place, where others may be with it.
#[layout(name = "source", implementation = Simulated)]
pub struct There {
    /// Those that serve.
    #[member(list = ["server"])]
    pub servers: Fleet<Server>,
}

/// In a third one, where it does not serve.
#[layout(name = "source", implementation = Simulated)]
pub struct Elsewhere {
    /// Does not.
    pub idle: Idle,
}

#[tokio::test]
async fn a_machine_that_is_placed_elsewhere_is_the_same() {
    let base = tempfile::tempdir().unwrap();
    deploys::<Here>(base.path(), &Selection::all()).await;
    assert_eq!(services(base.path(), "server"), ["serve.start"]);
    for _ in 0..2 {
        let there = plan::<There>(base.path(), &Selection::all()).await.unwrap();
        assert!(there.is_empty(), "its tasks have run: {there:?}");
        deploys::<There>(base.path(), &Selection::all()).await;
        let here = plan::<Here>(base.path(), &Selection::all()).await.unwrap();
        assert!(here.is_empty(), "{here:?}");
    }
    let elsewhere = plan::<Elsewhere>(base.path(), &Selection::all()).await.unwrap();
    assert_eq!(steps(&elsewhere), ["destroy service:server/serve.start"]);
    deploys::<Elsewhere>(base.path(), &Selection::all()).await;
    assert_eq!(services(base.path(), "server"), [""; 0]);
    // Where it was, nothing is left that tells of it.
    let back = plan::<Here>(base.path(), &Selection::all()).await.unwrap();
    assert_eq!(steps(&back), ["run task:server/serve.page", "run task:server/serve.start"]);
}

/// What was made, and all the same reported as a failure, is not forgotten when it leaves the layout.
#[tokio::test]
async fn what_failed_and_was_made_is_found_again() {
    let base = tempfile::tempdir().unwrap();
    let struck = open_struck::<Here>(base.path(), "create:*=half").await;
    let report = struck.deploy(&Selection::all()).await.unwrap();
    assert_eq!(report.failed[0].thing, "machine:server");
    drop(struck);
    let left = plan::<WithGuest>(base.path(), &pruning()).await.unwrap();
    assert!(steps(&left).contains(&"destroy machine:server".to_owned()), "{left:?}");
    deploys::<WithGuest>(base.path(), &pruning()).await;
    let world = PaperWorld::after(&changes(&base.path().join("source/simulated/world")));
    assert_eq!(world.machines.into_keys().collect::<Vec<_>>(), ["desk", "guest"]);
}

/// What does not answer at first, and is not there, is not destroyed.
#[tokio::test]
async fn what_is_not_there_is_not_destroyed_because_it_did_not_answer() {
    let base = tempfile::tempdir().unwrap();
    deploys::<WithSpare>(base.path(), &Selection::all()).await;
    let struck = open_struck::<WithSpare>(base.path(), "find:spare=fail#1").await;
    let report = struck.destroy(&Selection::all()).await.unwrap();
    let gone: Vec<_> = report.done.iter().map(|step| step.thing.as_str()).collect();
    assert_eq!(gone, ["machine:desk", "network:wire"]);
    assert!(report.is_complete(), "{report:?}");
}

/// The wire has another name.
#[layout(name = "source", implementation = Simulated)]
pub struct Renamed {
    /// The wire.
    #[moved_from("wire")]
    pub cable: Wire,
    /// On it.
    pub desk: Desk,
}

/// Its first name again, of which nobody says that it is the same.
#[layout(name = "source", implementation = Simulated)]
pub struct Forgotten {
    /// Another.
    pub wire: Wire,
    /// On it.
    pub desk: Desk,
}

/// A network that was renamed is called by its maker as before, and a new one of that name would be the same to it.
#[tokio::test]
async fn what_is_new_is_not_taken_for_what_was_renamed() {
    let base = tempfile::tempdir().unwrap();
    deploys::<WithSpare>(base.path(), &Selection::all()).await;
    deploys::<Renamed>(base.path(), &pruning()).await;
    for selection in [Selection::all(), pruning()] {
        let refused = plan::<Forgotten>(base.path(), &selection).await.unwrap_err();
        assert!(refused.to_string().contains("`network:wire` and `network:cable`"), "{refused}");
        assert!(refused.next_step().unwrap().contains("#[moved_from(\"cable\")]"), "{refused}");
        let deployment = open::<Forgotten>(base.path(), Access::Change).await;
        assert!(deployment.deploy(&selection).await.is_err());
    }
    // With what is plugged into it, it can be destroyed, and then there is room.
    let deployment = open::<Renamed>(base.path(), Access::Change).await;
    let report = deployment.destroy(&Selection::all()).await.unwrap();
    assert!(report.done.iter().all(|step| step.action == Action::Destroy), "{report:?}");
    drop(deployment);
    deploys::<Forgotten>(base.path(), &Selection::all()).await;
    assert!(plan::<Forgotten>(base.path(), &Selection::all()).await.unwrap().is_empty());
}
