//! Machines and networks that are renamed in the source are kept: `#[moved_from("mirror")]`.

#![expect(clippy::unwrap_used, reason = "a test ends where something is not as it must be")]

use std::path::Path;

use carthage::backend::{Local, Simulated};
use carthage::deploy::{Access, Deployment, Options, Plan, Selection};
use carthage::layout::Layout;
use carthage::machine::implementation::Implementation;
use carthage::prelude::*;
use carthage::state::{Dirs, Snapshot};

/// The wire.
#[network(v4 = "10.37.0.0/24", pool = "10.37.0.5-10.37.0.25")]
pub struct Lab;

/// Made once.
#[injectable]
pub struct Token(String);

/// What a machine does.
pub struct Site {
    /// With this.
    pub token: Arc<Token>,
}

#[customization]
impl Site {
    /// Write the page.
    #[setup_task]
    async fn index(&self, host: &Host) -> Result<()> {
        host.write("/index", &self.token.0).await
    }

    /// Serve it.
    #[setup_task(after = index)]
    async fn serve(&self, host: &Host) -> Result<()> {
        host.spawn(["httpd"]).await
    }
}

macro_rules! mirror {
    ($(#[$attribute:meta])* $name:ident) => {
        /// Serves.
        #[machine_model]
        $(#[$attribute])*
        pub struct $name {
            /// Its address is from the pool.
            #[link]
            pub eth0: Link<Lab>,
            /// Its own, kept.
            #[provide(persist, Token(format!("{:032x}", fastrand::u128(..))))]
            pub token: Arc<Token>,
            /// What it does.
            #[customize(Site { token: token.clone() })]
            pub site: Site,
        }
    };
}

mirror!(Mirror);
mirror!(
    #[moved_from("mirror")]
    Web
);
mirror!(Front);

/// Shares the other's network, and so is told by its name.
#[machine_model(shares_links = Mirror)]
pub struct Watcher;

/// The same, of the other.
#[machine_model(shares_links = Web, name = "watcher")]
pub struct WatcherOfWeb;

/// As it was.
#[layout(name = "moving", implementation = Sandbox)]
pub struct Before {
    /// The wire.
    pub lab: Lab,
    /// Takes the first address.
    #[member(name = "first")]
    pub first: Front,
    /// Takes the second.
    pub mirror: Mirror,
    /// Beside it.
    pub watcher: Watcher,
}

/// Under another name, in another field, on a network in another field; and what took the first address is gone.
#[layout(name = "moving", implementation = Sandbox)]
pub struct After {
    /// The wire.
    #[moved_from("lab")]
    pub wire: Lab,
    /// Was `mirror`.
    pub web: Web,
    /// Beside it.
    #[member(name = "watcher")]
    pub watcher: WatcherOfWeb,
}

/// Once more under another name, which its field says.
#[layout(name = "moving", implementation = Sandbox)]
pub struct Later {
    /// The wire.
    pub wire: Lab,
    /// Was `web`, and `mirror` before.
    #[moved_from("web", "mirror")]
    pub front: Front,
}

/// In an enclave.
#[layout(name = "moving", implementation = Sandbox)]
pub struct Inside {
    /// The wire.
    pub lab: Lab,
    /// As before.
    #[member(name = "first")]
    pub first: Front,
    /// Around it.
    pub algebra: Moved,
}

/// A group.
#[enclave(domain = "algebra")]
pub struct Moved {
    /// Was outside.
    #[moved_from("mirror.")]
    pub mirror: Mirror,
}

/// Outside again.
#[layout(name = "moving", implementation = Sandbox)]
pub struct Outside {
    /// The wire.
    pub lab: Lab,
    /// As before.
    #[member(name = "first")]
    pub first: Front,
    /// Was in the enclave.
    #[moved_from("mirror.algebra")]
    pub mirror: Mirror,
}

/// Both at once.
#[layout(name = "moving", implementation = Sandbox)]
pub struct Both {
    /// The wire.
    pub lab: Lab,
    /// As before.
    pub mirror: Mirror,
    /// Of another name.
    #[member(name = "web")]
    pub web: Front,
}

/// What the network was called is another's.
#[layout(name = "moving", implementation = Sandbox)]
pub struct NetworkAgain {
    /// Was `lab`.
    pub wire: Lab,
    /// Is called as that was.
    pub lab: Other,
    /// On the first.
    #[member(name = "web")]
    pub web: Front,
}

/// Another wire.
#[network(v4 = "10.38.0.0/24")]
pub struct Other;

/// What the machine was called is another's.
#[layout(name = "moving", implementation = Sandbox)]
pub struct MachineAgain {
    /// Was `lab`.
    pub wire: Lab,
    /// Was `mirror`.
    #[member(name = "web")]
    pub web: Front,
    /// Is called as that was.
    pub mirror: Mirror,
}

/// All are numbered.
#[layout(name = "moving", implementation = Sandbox)]
pub struct Three {
    /// The wire.
    pub lab: Lab,
    /// As many.
    pub mirrors: [Mirror; 3],
}

/// Under other names.
#[layout(name = "moving", implementation = Sandbox)]
pub struct ThreeAfter {
    /// The wire.
    pub lab: Lab,
    /// As many.
    #[moved_from("mirror")]
    pub fronts: [Front; 3],
}

/// Everything is simulated, also what `Simulated` itself is not to be asked for.
fn options(base: &Path) -> Options {
    let instead = Some(<Simulated as Implementation>::NODE);
    Options { state_dir: Some(base.to_owned()), instead, ..Options::default() }
}

async fn open<L: Layout>(base: &Path, access: Access) -> Deployment {
    Deployment::open::<L>(access, options(base)).await.unwrap().0
}

async fn opened<L: Layout>(base: &Path) -> std::result::Result<Deployment, carthage::Error> {
    Ok(Deployment::open::<L>(Access::Look, options(base)).await?.0)
}

fn steps(plan: &Plan) -> Vec<String> {
    plan.steps.iter().map(|step| format!("{} {}: {}", step.action.word(), step.thing, step.why)).collect()
}

/// Plans without touching anything, deploys exactly that, and finds nothing more to do.
async fn deploys<L: Layout>(base: &Path) -> Vec<String> {
    let before = state(base);
    let plan = open::<L>(base, Access::Look).await.plan(&Selection::all()).await.unwrap();
    assert_eq!(format!("{:?}", state(base)), format!("{before:?}"), "a plan writes nothing");
    let deployment = open::<L>(base, Access::Change).await;
    let report = deployment.deploy(&Selection::all()).await.unwrap();
    assert!(report.is_complete(), "{report:?}");
    let sorted = |steps: &[carthage::deploy::Step]| {
        let mut steps: Vec<_> =
            steps.iter().map(|step| format!("{:?} {}: {}", step.action, step.thing, step.why)).collect();
        steps.sort();
        steps
    };
    assert_eq!(sorted(&report.done), sorted(&plan.steps), "the plan is what happens");
    drop(deployment);
    let again = open::<L>(base, Access::Look).await.plan(&Selection::all()).await.unwrap();
    assert!(again.steps.is_empty(), "{:?}", steps(&again));
    steps(&plan)
}

fn state(base: &Path) -> Snapshot {
    Snapshot::read(&Dirs::find("moving", Some(base)).unwrap()).unwrap()
}

/// What has to be the same: identity, address, hardware address, kept value.
fn kept(base: &Path, machine: &str, path: &str) -> (String, String, Option<[u8; 6]>, Vec<u8>) {
    let state = state(base);
    let assignment = &state.assignments[&(machine.to_owned(), "eth0".to_owned())];
    let value = state.values[&format!("{path}.token")].to_vec();
    let record = &state.records[&format!("machine:{machine}")];
    assert_eq!((&*record.name, &*record.path), (machine, path));
    (record.identity.to_string(), assignment.address.unwrap().to_string(), assignment.mac, value)
}

#[tokio::test]
async fn a_machine_and_its_network_are_kept_under_other_names() {
    let base = tempfile::tempdir().unwrap();
    deploys::<Before>(base.path()).await;
    let before = kept(base.path(), "mirror", "mirror");
    assert_eq!(before.1, "10.37.0.6", "not the first address that is free later");
    let network = state(base.path()).records["network:lab"].identity.clone();
    let done = deploys::<After>(base.path()).await;
    assert_eq!(
        done,
        [
            "move network:wire: moved from `network:lab`",
            "move machine:web: moved from `machine:mirror`",
            "restart machine:web: its name changed from mirror to web, its host name changed from mirror to web",
            "restart machine:watcher: `web`, whose links it shares, is restarted",
        ],
        "and no task runs again"
    );
    assert_eq!(kept(base.path(), "web", "web"), before);
    let state = state(base.path());
    assert_eq!(state.records["network:wire"].identity, network);
    let left: Vec<_> = state.records.keys().collect();
    assert_eq!(left, ["machine:first", "machine:watcher", "machine:web", "network:wire"]);
    let journal = Snapshot::journal(&Dirs::find("moving", Some(base.path())).unwrap(), 0).unwrap();
    assert!(journal.iter().any(|entry| entry.thing == "machine:web" && entry.action == "move"));
    assert!(
        !state.values.contains_key("mirror.token")
            && !base.path().join("moving/cache/stamps/mirror").exists()
    );

    // And on from there, with what it was called twice.
    let done = deploys::<Later>(base.path()).await;
    assert_eq!(done[0], "move machine:front: moved from `machine:web`");
    assert_eq!(kept(base.path(), "front", "front"), before);
    let deployment = open::<Later>(base.path(), Access::Change).await;
    assert!(deployment.destroy(&Selection::all()).await.unwrap().is_complete());
    assert!(!base.path().join("moving").exists(), "nothing is left");
}

#[tokio::test]
async fn names_that_were_never_deployed_are_skipped() {
    let base = tempfile::tempdir().unwrap();
    deploys::<Before>(base.path()).await;
    let before = kept(base.path(), "mirror", "mirror");
    let plan = open::<Later>(base.path(), Access::Look).await.plan(&Selection::all()).await.unwrap();
    assert_eq!(steps(&plan)[0], "move machine:front: moved from `machine:mirror`");
    // The network is another there; its address goes with it.
    deploys::<Inside>(base.path()).await;
    assert_eq!(kept(base.path(), "mirror.algebra", "algebra.mirror"), before);
    let done = deploys::<Outside>(base.path()).await;
    assert_eq!(done[0], "move machine:mirror: moved from `machine:mirror.algebra`");
    assert_eq!(kept(base.path(), "mirror", "mirror"), before);
}

#[tokio::test]
async fn an_array_is_numbered_as_it_was() {
    let base = tempfile::tempdir().unwrap();
    deploys::<Three>(base.path()).await;
    let machines = |name: &str, field: &str| -> Vec<_> {
        (1..=3).map(|n| kept(base.path(), &format!("{name}-{n}"), &format!("{field}.{n}"))).collect()
    };
    let before = machines("mirror", "mirrors");
    let done = deploys::<ThreeAfter>(base.path()).await;
    assert_eq!(done[1], "move machine:front-2: moved from `machine:mirror-2`");
    assert!(done.iter().all(|step| !step.starts_with("run")), "{done:?}");
    assert_eq!(machines("front", "fronts"), before);
}

#[tokio::test]
async fn what_exists_by_both_names_is_refused() {
    let base = tempfile::tempdir().unwrap();
    deploys::<Both>(base.path()).await;
    let error = Deployment::open::<After>(Access::Look, options(base.path())).await.map(drop).unwrap_err();
    let told = carthage::chain(&error);
    assert!(told.contains("`machine:web` cannot be moved from `machine:mirror`: both exist"), "{told}");
    assert!(error.next_step().is_some_and(|hint| hint.contains("destroy --orphans")), "{error:?}");
}

/// A value that was kept at the new name's place, by another that was called so, is not what is taken along.
#[tokio::test]
async fn what_another_of_the_new_name_has_left_is_not_its_own() {
    let base = tempfile::tempdir().unwrap();
    deploys::<Both>(base.path()).await;
    let deployment = open::<Both>(base.path(), Access::Change).await;
    let web = Selection { include: vec!["machine:web".parse().unwrap()], ..Selection::all() };
    assert!(deployment.destroy(&web).await.unwrap().is_complete());
    drop(deployment);
    let (before, left) =
        (kept(base.path(), "mirror", "mirror"), state(base.path()).values.remove("web.token"));
    assert!(left.is_some_and(|left| left.to_vec() != before.3));
    deploys::<After>(base.path()).await;
    assert_eq!(kept(base.path(), "web", "web"), before);
}

/// What is renamed is called as before by its implementation until that is done there: nothing else may be called so meanwhile.
#[tokio::test]
async fn a_name_that_something_still_has_is_not_given_to_another() {
    let base = tempfile::tempdir().unwrap();
    deploys::<Before>(base.path()).await;
    let deployment = open::<After>(base.path(), Access::Change).await;
    let web = Selection { include: vec!["machine:w*".parse().unwrap()], ..Selection::all() };
    assert!(deployment.stop(&web).await.unwrap().is_complete());
    assert!(deployment.start(&web).await.unwrap().is_complete());
    drop(deployment);
    let refused = |opened: std::result::Result<Deployment, carthage::Error>| {
        carthage::chain(&opened.map(drop).unwrap_err())
    };
    let told = refused(opened::<MachineAgain>(base.path()).await);
    assert!(told.contains("the machines `mirror` and `web` would be one to their implementation"), "{told}");
    deploys::<After>(base.path()).await;
    assert!(opened::<MachineAgain>(base.path()).await.is_ok(), "it is renamed there");
    let told = refused(opened::<NetworkAgain>(base.path()).await);
    assert!(told.contains("the networks `lab` and `wire` would be one to their implementation"), "{told}");
}

#[tokio::test]
async fn what_is_not_deployed_since_is_found_by_its_old_name() {
    let base = tempfile::tempdir().unwrap();
    deploys::<Before>(base.path()).await;
    let before = kept(base.path(), "mirror", "mirror");
    let web: Selection = Selection { include: vec!["machine:w*".parse().unwrap()], ..Selection::all() };
    let deployment = open::<After>(base.path(), Access::Change).await;
    let status = deployment.status(&web).await.unwrap();
    assert!(status.machines.iter().all(|machine| machine.state == "running"), "{status:?}");
    assert!(deployment.stop(&web).await.unwrap().is_complete());
    assert!(state(base.path()).records.contains_key("machine:mirror"));
    assert!(deployment.start(&web).await.unwrap().is_complete());
    drop(deployment);
    assert_eq!(kept(base.path(), "web", "web"), before);
    // It is started as it was deployed; what is new waits for the next deployment.
    let done = deploys::<After>(base.path()).await;
    assert!(done[0].starts_with("restart machine:web: its name changed from mirror to web"), "{done:?}");
    let deployment = open::<Later>(base.path(), Access::Change).await;
    assert!(deployment.destroy(&Selection::all()).await.unwrap().is_complete());
    assert!(
        state(base.path()).records.keys().all(|thing| thing != "machine:web" && thing != "machine:front")
    );
}

#[tokio::test]
async fn a_saved_plan_holds_it() {
    let base = tempfile::tempdir().unwrap();
    deploys::<Before>(base.path()).await;
    let all = Selection::all();
    let deployment = open::<After>(base.path(), Access::Look).await;
    let plan = deployment.plan(&all).await.unwrap();
    let saved = deployment.saved(&all, &plan).unwrap();
    drop(deployment);
    let deployment = open::<After>(base.path(), Access::Change).await;
    let now = deployment.plan(&all).await.unwrap();
    deployment.keep_to(&saved, &now).unwrap();
    let report = deployment.deploy(&all).await.unwrap();
    assert!(report.is_complete(), "{report:?}");
    drop(deployment);
    // Once more it would do something else.
    let deployment = open::<After>(base.path(), Access::Change).await;
    let now = deployment.plan(&all).await.unwrap();
    assert!(carthage::chain(&deployment.keep_to(&saved, &now).unwrap_err()).contains("move machine:web"));
}

/// Looks.
#[derive(Default)]
pub struct Looks;

#[customization]
impl Looks {
    /// Look.
    #[setup_task]
    async fn look(&self, host: &Host) -> Result<()> {
        host.run(["true"]).await?;
        Ok(())
    }
}

/// This host.
#[machine_model]
pub struct Here {
    /// What is done on it.
    #[customize]
    pub looks: Looks,
}

/// This host under another name.
#[machine_model]
#[moved_from("here")]
pub struct Desk {
    /// What is done on it.
    #[customize]
    pub looks: Looks,
}

/// As it was.
#[layout(name = "moving-here", implementation = Local)]
pub struct HereBefore {
    /// This host.
    pub here: Here,
}

/// As it is.
#[layout(name = "moving-here", implementation = Local)]
pub struct HereAfter {
    /// This host.
    pub desk: Desk,
}

/// What is only reached is given back and taken over again.
#[tokio::test]
async fn a_host_that_is_only_reached_is_taken_over_anew() {
    let base = tempfile::tempdir().unwrap();
    let options = || Options { state_dir: Some(base.path().join("state")), ..Options::default() };
    let all = Selection::all();
    let (deployment, _) = Deployment::open::<HereBefore>(Access::Change, options()).await.unwrap();
    assert!(deployment.deploy(&all).await.unwrap().is_complete());
    drop(deployment);
    let (deployment, _) = Deployment::open::<HereAfter>(Access::Change, options()).await.unwrap();
    let report = deployment.deploy(&all).await.unwrap();
    assert!(report.is_complete(), "{report:#?}");
    let done: Vec<_> = report.done.iter().map(|step| (&*step.thing, step.action.word())).collect();
    assert_eq!(done.last(), Some(&("task:desk/looks.look", "run")), "{done:?}");
    drop(deployment);
    let (deployment, _) = Deployment::open::<HereAfter>(Access::Change, options()).await.unwrap();
    let plan = deployment.plan(&all).await.unwrap();
    assert!(plan.steps.is_empty(), "{plan:#?}");
    assert!(deployment.destroy(&all).await.unwrap().is_complete());
    drop(deployment);
    assert!(!base.path().join("state").exists(), "nothing is left");
}
