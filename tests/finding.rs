//! Which model is meant: by its type, its roles and its traits; and models that are resolved with the layout.

use std::sync::OnceLock;

use carthage::deploy::{Access, Deployment, Options};
use carthage::layout::{Layout, Place, RoleTrait};
use carthage::machine::implementation::{Implementation, Located, On};
use carthage::model::{At, Key, Kind, Node, Part, Role, Taken};
use carthage::prelude::*;
use carthage::{Error, chain};

#[network(v4 = "10.1.0.0/24", pool = "10.1.0.10-10.1.0.99")]
struct Lan;

/// Answers queries.
#[role]
trait Database {
    fn port(&self) -> u16;
}

/// Is looked at.
#[role]
trait Watched: std::fmt::Debug {
    fn what(&self) -> String {
        format!("{self:?}")
    }
}

#[machine_model]
#[implements(dyn Database)]
#[implements(dyn Watched)]
#[derive(Debug)]
struct Postgres {
    #[link]
    eth0: Link<Lan>,
}

impl Database for Postgres {
    fn port(&self) -> u16 {
        5432
    }
}

impl Watched for Postgres {}

/// A role that is found by a trait, as is the machine that takes it in.
#[role]
#[implements(dyn Database)]
struct Embedded {
    #[link]
    eth0: Link<Lan>,
}

impl Database for Embedded {
    fn port(&self) -> u16 {
        1
    }
}

#[machine_model]
struct Appliance {
    #[role]
    store: Embedded,
}

#[machine_model]
struct App {
    #[inject]
    database: Placed<dyn Database>,
}

#[machine_model]
#[depends_on(dyn Database)]
struct Watcher {
    #[inject]
    watched: Option<Placed<dyn Watched>>,
}

#[enclave(domain = "big", resolvable)]
struct Big {
    postgres: Postgres,
    app: App,
    watcher: Watcher,
    #[provide(Names::default())]
    names: Arc<Names>,
}

#[injectable]
#[derive(Default)]
struct Names(OnceLock<Vec<String>>);

impl ResolvableModel for Big {
    async fn resolve_model(me: &Placed<Self>) -> Result<()> {
        let names = me.place().machines().map(|machine| machine.name().to_owned()).collect();
        me.names.0.set(names).map_err(|_| "it was resolved before".into())
    }
}

#[enclave(domain = "small")]
struct Small {
    appliance: Appliance,
    app: App,
    #[inject]
    all: Vec<Placed<dyn Database>>,
}

/// A model of somebody's own kind: no machine can be in it.
#[enclave(resolvable)]
struct License {
    #[inject]
    seats: Arc<Seats>,
    #[inject]
    names: Option<Arc<Names>>,
}

#[injectable]
struct Seats(u32);

impl ResolvableModel for License {
    async fn resolve_model(me: &Placed<Self>) -> Result<()> {
        assert!(me.names.is_none(), "those of `big` are its own");
        match me.seats.0 {
            0 => Err(format!("{} has no seats", me.place().placement().path()).into()),
            _ => Ok(()),
        }
    }
}

#[layout(name = "finding", implementation = Sandbox)]
struct Finding {
    lan: Lan,
    #[provide(Seats(3))]
    seats: Arc<Seats>,
    big: Big,
    small: Small,
    license: License,
}

#[layout(name = "unlicensed", implementation = Sandbox)]
struct Unlicensed {
    #[provide(Seats(0))]
    seats: Arc<Seats>,
    first: License,
    second: License,
}

async fn open<L: Layout>() -> Result<Placed<L>, Error> {
    let state = tempfile::tempdir().map_err(Error::host("no directory"))?;
    let options = Options { state_dir: Some(state.path().to_owned()), ..Options::default() };
    Deployment::open::<L>(Access::Look, options).await.map(|(_, layout)| layout)
}

#[tokio::test]
async fn by_a_trait_of_the_machine_or_of_its_role() {
    let finding = open::<Finding>().await.unwrap();
    let (big, small) = (&finding.big, &finding.small);
    assert_eq!((big.app.database.name(), big.app.database.port()), ("postgres.big", 5432));
    assert_eq!((small.app.database.name(), small.app.database.port()), ("appliance.small", 1));
    assert_eq!(small.all.iter().map(|found| found.port()).collect::<Vec<_>>(), [1]);
    assert!(big.watcher.watched.as_ref().unwrap().what().starts_with("Postgres"));
    let after: Vec<_> = Finding::placement("big.watcher").starts_after().iter().map(|at| at.fqdn()).collect();
    assert_eq!(after, ["postgres.big"]);
    // It is the machine itself, and the same whoever asks.
    assert!(std::ptr::eq(big.app.database.machine(), big.postgres.machine()));
    let model: *const Postgres = &raw const *big.postgres;
    assert!(std::ptr::addr_eq(model, &raw const *big.app.database));
    let role: *const Embedded = &raw const *small.appliance.store;
    assert!(std::ptr::addr_eq(role, &raw const *small.app.database));
}

#[tokio::test]
async fn what_wants_to_be_is_resolved_once() {
    let finding = open::<Finding>().await.unwrap();
    assert_eq!(finding.big.names.0.get().unwrap(), &["postgres.big", "app.big", "watcher.big"]);
}

#[tokio::test]
async fn all_that_cannot_be_resolved_are_named() {
    let said = chain(&open::<Unlicensed>().await.map(drop).unwrap_err());
    assert!(said.contains("2 models cannot be resolved"), "{said}");
    assert!(said.contains("`first`: first has no seats; `second`: second has no seats"), "{said}");
}

/// A model written by hand says itself what it is found as.
struct ByHand {
    node_port: u16,
}

impl Database for ByHand {
    fn port(&self) -> u16 {
        self.node_port
    }
}

impl carthage::layout::Model for ByHand {
    const KEY: Key = Key::new(module_path!(), "ByHand", line!(), column!());
    const OWN: &'static [Part] = &[Part::new(
        "dyn Database",
        At::new(file!(), line!()),
        Role::Taken(Taken::new(<dyn Database as RoleTrait>::NODE, &[])),
    )];
    const NODE: &'static Node = &Node::new(Kind::Machine, Self::KEY, "by-hand", At::new(file!(), line!()))
        .parts(<Self as carthage::layout::Model>::CALLED.parts());

    fn build(_: &carthage::layout::Parts) -> Result<Self, Error> {
        Ok(Self { node_port: 7 })
    }

    fn implements(me: &Arc<Self>, place: &Place) {
        RoleTrait::found_at(place, me.clone() as Arc<dyn Database>);
    }
}

impl carthage::layout::MachineModel for ByHand {}
impl<I: Implementation + Located> On<I> for ByHand {}

#[layout(name = "handmade", implementation = Sandbox)]
struct Handmade {
    by_hand: ByHand,
    app: App,
}

#[tokio::test]
async fn one_written_by_hand_adds_to_what_it_is_found_as() {
    let handmade = open::<Handmade>().await.unwrap();
    assert_eq!((handmade.app.database.name(), handmade.app.database.port()), ("by-hand", 7));
}
