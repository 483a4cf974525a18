//! Models and implementations that make something of their own of what comes before a start.

use carthage::machine::engine::{Engine, MachineSpec, Site};
use carthage::machine::implementation::Implementation;
use carthage::machine::start::Prerequisite;
use carthage::model::Placement;
use carthage::prelude::*;
use carthage::{Error, ErrorKind};

use super::{Toy, engine, opened};

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

#[machine_model]
struct Gateway;

#[machine_model]
struct Web;

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
