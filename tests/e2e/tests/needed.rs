//! What models find out at run time that they need is part of the one graph.

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use carthage::backend::Simulated;
use carthage::deploy::{Access, Deployment, Options, Report, Selection};
use carthage::layout::Layout;
use carthage::machine::start::Needed;
use carthage::prelude::*;

/// Where the data is, as an inventory says.
#[injectable]
pub struct Inventory {
    /// The name of a machine.
    pub data: String,
}

/// Keeps the data.
#[machine_model]
pub struct Data;

/// Asks the inventory what it needs.
#[machine_model(dynamic_dependencies = Self::needs)]
pub struct App {
    /// Says where the data is.
    #[inject]
    pub inventory: Arc<Inventory>,
}

impl App {
    async fn needs(me: &Placed<Self>) -> Result<Vec<Needed>> {
        tokio::task::yield_now().await;
        Ok(vec![Needed::machine(&me.inventory.data)])
    }
}

/// One is first in the source, and one is last: whatever order there is, is not that of the source.
#[layout(name = "needed", implementation = Simulated)]
pub struct Apps {
    /// As an inventory would be read.
    #[provide(Inventory { data: "data".to_owned() })]
    pub inventory: Arc<Inventory>,
    /// Needs what comes later.
    #[member(name = "app-1")]
    pub first: App,
    /// Needed.
    pub data: Data,
    /// Needs what came before.
    #[member(name = "web")]
    pub last: App,
}

/// How many are asked just now, and were at most.
static ASKED: [AtomicUsize; 2] = [const { AtomicUsize::new(0) }; 2];

/// Takes its time to say that it needs nothing.
#[machine_model(dynamic_dependencies = Self::needs)]
pub struct Slow;

impl Slow {
    async fn needs(_: &Placed<Self>) -> Result<Vec<Needed>> {
        let asked = ASKED[0].fetch_add(1, Ordering::SeqCst) + 1;
        ASKED[1].fetch_max(asked, Ordering::SeqCst);
        for _ in 0..20 {
            tokio::task::yield_now().await;
        }
        ASKED[0].fetch_sub(1, Ordering::SeqCst);
        Ok(Vec::new())
    }
}

/// Many of them.
#[layout(name = "needed", implementation = Simulated)]
pub struct Many {
    /// All.
    #[member(name = "slow")]
    pub all: [Slow; 12],
}

#[tokio::test]
async fn so_many_are_asked_at_the_same_time_as_the_user_says() {
    for parallel in [1, 3, 100] {
        ASKED[1].store(0, Ordering::SeqCst);
        let base = tempfile::tempdir().unwrap();
        let options = Options { state_dir: Some(base.path().to_owned()), parallel, ..Options::default() };
        Deployment::open::<Many>(Access::Look, options).await.unwrap();
        assert_eq!(ASKED[1].load(Ordering::SeqCst), parallel.min(12));
    }
}

/// Nothing of it any more.
#[layout(name = "needed", implementation = Simulated)]
pub struct Gone {}

/// What is not there is needed.
#[layout(name = "needed", implementation = Simulated)]
pub struct Misspelt {
    /// Says something wrong.
    #[provide(Inventory { data: "date".to_owned() })]
    pub inventory: Arc<Inventory>,
    /// Needs it.
    pub app: App,
    /// Meant.
    pub data: Data,
}

/// A machine needs itself, by way of the inventory.
#[layout(name = "needed", implementation = Simulated)]
pub struct Itself {
    /// Says something impossible.
    #[provide(Inventory { data: "app".to_owned() })]
    pub inventory: Arc<Inventory>,
    /// Needs it.
    pub app: App,
}

/// Made by a machine.
#[network(v4 = "10.40.0.0/24", pool = "10.40.0.5-10.40.0.9", dynamic_dependencies = Self::needs)]
pub struct Tunnel;

impl Tunnel {
    async fn needs(_: &Placed<Self>) -> Result<Vec<Needed>> {
        Ok(vec![Needed::machine("gateway")])
    }
}

/// In no network, so that it is not made.
#[network(dynamic_dependencies = Self::needs)]
pub struct Trunk;

impl Trunk {
    async fn needs(_: &Placed<Self>) -> Result<Vec<Needed>> {
        Ok(vec![Needed::machine("data")])
    }
}

/// Is plugged into what the gateway makes.
#[machine_model]
pub struct Client {
    /// The tunnel.
    #[link]
    pub eth0: Link<Tunnel>,
}

/// Makes the tunnel; needs what needs the data.
#[machine_model(dynamic_dependencies = Self::needs)]
pub struct Gateway {
    /// Nobody is plugged into it.
    #[inject]
    pub trunk: Placed<Trunk>,
}

impl Gateway {
    async fn needs(me: &Placed<Self>) -> Result<Vec<Needed>> {
        Ok(me.trunk.needed())
    }
}

/// A client needs a network, which needs a gateway, which needs a network that is not made, which needs the data.
#[layout(name = "needed", implementation = Simulated)]
pub struct Through {
    /// Not plugged into.
    pub trunk: Trunk,
    /// Made by the gateway.
    pub tunnel: Tunnel,
    /// The last.
    pub client: Client,
    /// In between.
    pub gateway: Gateway,
    /// The first.
    pub data: Data,
}

/// All machines of an enclave need something outside of it, and what is outside needs one of them.
#[enclave(dynamic_dependencies = Self::needs)]
pub struct Rack {
    /// In it.
    #[member(name = "one")]
    pub one: Data,
    /// In it as well.
    #[member(name = "two")]
    pub two: Data,
}

impl Rack {
    async fn needs(_: &Placed<Self>) -> Result<Vec<Needed>> {
        Ok(vec![Needed::machine("one"), Needed::machine("data")])
    }
}

/// All need two of themselves.
#[enclave(dynamic_dependencies = Self::needs)]
pub struct Shelf {
    /// Needs the others.
    #[member(name = "late")]
    pub late: Data,
    /// Needed.
    #[member(name = "one")]
    pub one: Data,
    /// Needed as well.
    #[member(name = "two")]
    pub two: Data,
}

impl Shelf {
    async fn needs(me: &Placed<Self>) -> Result<Vec<Needed>> {
        Ok([me.one.needed(), me.two.needed()].concat())
    }
}

/// What is needed does not need itself.
#[layout(name = "needed", implementation = Simulated)]
pub struct Shelves {
    /// Of three.
    pub shelf: Shelf,
}

/// One after the other.
#[layout(name = "needed", implementation = Simulated)]
pub struct Racks {
    /// The second after the first, and after the data.
    pub rack: Rack,
    /// Before the second.
    pub data: Data,
}

/// Needs who starts after it.
#[machine_model(dynamic_dependencies = Self::needs)]
pub struct First;

impl First {
    async fn needs(_: &Placed<Self>) -> Result<Vec<Needed>> {
        Ok(vec![Needed::machine("second")])
    }
}

/// Starts after it.
#[machine_model]
#[depends_on(First)]
pub struct Second;

/// Both need each other: one says so in the source, the other at run time.
#[layout(name = "needed", implementation = Simulated)]
pub struct Each {
    /// Says so at run time.
    pub first: First,
    /// In the source.
    pub second: Second,
}

/// The same wire, which nobody makes.
#[network(v4 = "10.40.0.0/24", pool = "10.40.0.5-10.40.0.9")]
pub struct Wire;

/// Plugged into it.
#[machine_model(name = "gateway")]
pub struct Plugged {
    /// The wire.
    #[link]
    pub eth0: Link<Wire>,
}

/// The machine needs the network.
#[layout(name = "needed", implementation = Simulated)]
pub struct PluggedIn {
    /// The wire.
    pub tunnel: Wire,
    /// Plugged into it.
    pub gateway: Plugged,
}

/// The network needs the machine.
#[layout(name = "needed", implementation = Simulated)]
pub struct TheOtherWay {
    /// Needs it.
    pub tunnel: Tunnel,
    /// Plugged into it.
    pub client: Client,
    /// Makes it.
    #[member(name = "gateway")]
    pub gateway: Data,
}

async fn open<L: Layout>(base: &Path, access: Access) -> std::result::Result<Deployment, carthage::Error> {
    let options = Options { state_dir: Some(base.to_owned()), parallel: 1, ..Options::default() };
    Ok(Deployment::open::<L>(access, options).await?.0)
}

fn done(report: &Report) -> Vec<&str> {
    assert!(report.is_complete(), "{report:?}");
    report.done.iter().map(|step| step.thing.as_str()).collect()
}

#[tokio::test]
async fn each_walk_over_the_graph_respects_it() {
    let base = tempfile::tempdir().unwrap();
    let all = Selection::all();
    let deployment = open::<Apps>(base.path(), Access::Change).await.unwrap();
    let plan = deployment.plan(&all).await.unwrap();
    let planned: Vec<_> = plan.steps.iter().map(|step| &*step.thing).collect();
    assert_eq!(planned, ["machine:data", "machine:app-1", "machine:web"]);
    assert_eq!(done(&deployment.deploy(&all).await.unwrap()), planned);
    drop(deployment);
    let deployment = open::<Apps>(base.path(), Access::Change).await.unwrap();
    assert_eq!(done(&deployment.stop(&all).await.unwrap()), ["machine:app-1", "machine:web", "machine:data"]);
    let web = Selection { include: vec!["web".parse().unwrap()], ..Selection::all() };
    assert_eq!(
        done(&deployment.start(&web).await.unwrap()),
        ["machine:data", "machine:web"],
        "it is brought in"
    );
    let data = Selection { include: vec!["data".parse().unwrap()], ..Selection::all() };
    let kept = deployment.plan_destroy(&data).await.unwrap();
    assert!(kept.steps.is_empty() && kept.notes[0].contains("`machine:app-1` needs it"), "{kept:?}");
    assert_eq!(
        done(&deployment.destroy(&all).await.unwrap()),
        ["machine:app-1", "machine:web", "machine:data"]
    );
}

#[tokio::test]
async fn what_is_no_longer_in_the_layout_goes_in_the_order_that_was_found_out() {
    let base = tempfile::tempdir().unwrap();
    let deployment = open::<Apps>(base.path(), Access::Change).await.unwrap();
    assert!(deployment.deploy(&Selection::all()).await.unwrap().is_complete());
    drop(deployment);
    let orphans = Selection { orphans: true, ..Selection::all() };
    let deployment = open::<Gone>(base.path(), Access::Change).await.unwrap();
    assert_eq!(
        done(&deployment.destroy(&orphans).await.unwrap()),
        ["machine:app-1", "machine:web", "machine:data"]
    );
}

/// W-A4: a network was removed before the machine that made it possible to reach it.
#[tokio::test]
async fn it_passes_through_what_is_no_machine_and_what_is_not_made() {
    let base = tempfile::tempdir().unwrap();
    let deployment = open::<Through>(base.path(), Access::Change).await.unwrap();
    let order = ["machine:data", "machine:gateway", "network:tunnel", "machine:client"];
    assert_eq!(done(&deployment.deploy(&Selection::all()).await.unwrap()), order);
    let backwards: Vec<_> = order.iter().rev().copied().collect();
    assert_eq!(done(&deployment.destroy(&Selection::all()).await.unwrap()), backwards);
}

#[tokio::test]
async fn what_an_enclave_needs_all_in_it_need() {
    let base = tempfile::tempdir().unwrap();
    let deployment = open::<Racks>(base.path(), Access::Change).await.unwrap();
    let report = deployment.deploy(&Selection::all()).await.unwrap();
    assert_eq!(done(&report), ["machine:one", "machine:data", "machine:two"]);
    let base = tempfile::tempdir().unwrap();
    let deployment = open::<Shelves>(base.path(), Access::Change).await.unwrap();
    let report = deployment.deploy(&Selection::all()).await.unwrap();
    assert_eq!(done(&report), ["machine:one", "machine:two", "machine:late"]);
}

#[tokio::test]
async fn what_cannot_be_is_told_before_anything_is_touched() {
    let base = tempfile::tempdir().unwrap();
    let told = |error: carthage::Error| carthage::chain(&error);
    let misspelt = told(open::<Misspelt>(base.path(), Access::Look).await.unwrap_err());
    assert!(
        misspelt
            .contains("something is needed that is not in the layout: `machine:app` needs `machine:date`"),
        "{misspelt}"
    );
    let circle = told(open::<Itself>(base.path(), Access::Look).await.unwrap_err());
    assert!(circle.contains("things need each other: `machine:app` -> `machine:app`"), "{circle}");
    let circle = told(open::<Each>(base.path(), Access::Look).await.unwrap_err());
    assert!(
        circle.contains("things need each other: `machine:first` -> `machine:second` -> `machine:first`"),
        "{circle}"
    );
    assert_eq!(std::fs::read_dir(base.path()).unwrap().count(), 0);
}

/// What it was made with says one thing, and what is wanted now another: both are in one order all the same.
#[tokio::test]
async fn what_was_and_what_is_wanted_make_no_circle() {
    let base = tempfile::tempdir().unwrap();
    let deployment = open::<PluggedIn>(base.path(), Access::Change).await.unwrap();
    let order = ["network:tunnel", "machine:gateway"];
    assert_eq!(done(&deployment.deploy(&Selection::all()).await.unwrap()), order);
    drop(deployment);
    let deployment = open::<TheOtherWay>(base.path(), Access::Change).await.unwrap();
    assert_eq!(done(&deployment.destroy(&Selection::all()).await.unwrap()).len(), 2);
    assert!(!base.path().join("needed").exists(), "nothing is left");
}
