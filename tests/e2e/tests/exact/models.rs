//! Networks and machines of each kind. Which of them there are is decided at run time.

use carthage::machine::start::Needed;
use carthage::prelude::*;

use super::story::{Kind, Story, said};
use super::works::{Base, Follow, TakeIn, Work};

/// Where everybody is.
#[network(v4 = "10.70.0.0/24", pool = "10.70.0.5-10.70.0.200")]
pub(crate) struct Front;

/// For some.
#[network(v4 = "10.71.0.0/24", pool = "10.71.0.5-10.71.0.200")]
pub(crate) struct Back;

/// Comes and goes, and has nobody.
#[network]
pub(crate) struct Spare;

/// Comes, and stays.
#[network]
#[policy(orphan = retain)]
pub(crate) struct Relic;

/// In each branch.
#[network]
pub(crate) struct Lan;

/// What the layout says it is: it has other addresses in one than in another, and other names.
#[network(abstract)]
pub(crate) struct Yard;

/// The machines of a kind.
pub(crate) fn of(kind: Kind) -> Vec<String> {
    said(|story| story.names(kind))
}

/// Before the others.
#[machine_model(memory_mb = 64)]
pub(crate) struct Gateway {
    #[link(address = "10.70.0.2")]
    front: Link<Front>,
    #[link]
    back: Link<Back>,
    #[customize(Base)]
    base: Base,
    #[customize(Work { text: 1, at: "/srv" })]
    pub(crate) work: Work,
}

/// The ordinary kind.
#[machine_model(memory_mb = 128, tags = ["some"])]
pub(crate) struct Plain {
    #[link]
    front: Link<Front>,
    #[customize(Work { text: 1, at: "/srv" })]
    work: Work,
}

/// With more memory, which is changed while it runs, and another input.
#[machine_model(memory_mb = 256)]
pub(crate) struct Big {
    #[link]
    front: Link<Front>,
    #[customize(Work { text: 2, at: "/srv" })]
    work: Work,
}

/// With other links, for which it is restarted, and after the gateway.
#[machine_model(memory_mb = 128, tags = ["some"])]
#[depends_on(Gateway)]
#[env(WIRED = "yes")]
pub(crate) struct Wired {
    #[link]
    front: Link<Front>,
    #[link]
    back: Link<Back>,
    #[link]
    yard: Link<Yard>,
    #[customize(Base)]
    base: Base,
    #[customize(Work { text: 1, at: "/srv" })]
    work: Work,
}

/// Made of something else, for which it is made anew.
#[machine_model(memory_mb = 128, image = "other")]
pub(crate) struct Imaged {
    #[link]
    front: Link<Front>,
    #[customize(Work { text: 2, at: "/opt" })]
    other: Work,
    #[customize(Work { text: 1, at: "/srv" })]
    work: Work,
}

/// Waits to be named.
#[machine_model]
#[policy(auto_deploy = false)]
pub(crate) struct Lazy {
    #[link]
    front: Link<Front>,
    #[customize(Base)]
    base: Base,
}

/// Looks at the gateway, and runs again with it.
#[machine_model]
pub(crate) struct Follower {
    #[link]
    front: Link<Front>,
    #[customize(Follow)]
    follow: Follow,
}

/// Needs whatever the story says.
#[machine_model(dynamic_dependencies = Self::needs)]
pub(crate) struct Needy {
    #[link]
    front: Link<Front>,
    #[customize(Base)]
    base: Base,
}

impl Needy {
    async fn needs(me: &Placed<Self>) -> Result<Vec<Needed>> {
        Ok(said(|story| story.needs_of(me.name())).iter().map(|name| Needed::machine(name)).collect())
    }
}

/// Stays when everything is destroyed, and when it has left the layout.
#[machine_model]
#[policy(destroy = retain, orphan = warn)]
pub(crate) struct Vault {
    #[link]
    front: Link<Front>,
    #[customize(Base)]
    base: Base,
}

/// The same, of which nothing stays.
#[machine_model]
pub(crate) struct OpenVault {
    #[link]
    front: Link<Front>,
    #[customize(Base)]
    base: Base,
}

/// A network and a machine, under a name.
#[enclave]
pub(crate) struct Branch {
    lan: Lan,
    desk: Desk,
}

/// In a branch.
#[machine_model]
#[depends_on(Gateway)]
pub(crate) struct Desk {
    #[link]
    lan: Link<Lan>,
    #[customize(Base)]
    base: Base,
}

/// A model with tasks of its own, and a machine that takes in what they make.
#[enclave]
pub(crate) struct Office {
    clerk: Clerk,
}

#[model_tasks]
impl Office {
    /// Render it.
    #[setup_task(hash = said(|story| story.text(2)))]
    async fn render(&self, dir: &ModelDir) -> Result<()> {
        dir.write("who", format!("{} {}", self.clerk.name(), said(|story| story.text(2)))).await
    }

    /// Seal it.
    #[setup_task(after = render)]
    async fn seal(&self, dir: &ModelDir) -> Result<()> {
        dir.write("seal", "whole").await
    }

    #[invalidator(seal)]
    async fn is_sealed(&self, dir: &ModelDir) -> Result<bool> {
        dir.exists("seal").await
    }
}

/// In an office.
#[machine_model(tags = ["some"])]
pub(crate) struct Clerk {
    #[customize(TakeIn)]
    take_in: TakeIn,
}

/// Is called otherwise from time to time.
#[machine_model(memory_mb = 96)]
pub(crate) struct Solo {
    #[link]
    front: Link<Front>,
    #[link]
    yard: Link<Yard>,
    #[customize(Work { text: 2, at: "/srv" })]
    work: Work,
}

/// One of several.
#[machine_model]
pub(crate) struct Extra {
    #[link]
    front: Link<Front>,
    #[customize(Base)]
    base: Base,
}

/// All of it, with machines of two kinds that may become others where they are.
#[enclave]
pub(crate) struct All<P = Plain, V = Vault> {
    front: Front,
    back: Back,
    #[member(when = said(Story::has_spare))]
    spare: Option<Spare>,
    #[member(when = said(Story::has_relic))]
    relic: Option<Relic>,
    gateway: Gateway,
    #[member(list = of(Kind::Plain))]
    plain: Fleet<P>,
    #[member(list = of(Kind::Big))]
    big: Fleet<Big>,
    #[member(list = of(Kind::Wired))]
    wired: Fleet<Wired>,
    #[member(list = of(Kind::Imaged))]
    imaged: Fleet<Imaged>,
    #[member(list = of(Kind::Lazy))]
    lazy: Fleet<Lazy>,
    #[member(list = of(Kind::Follower))]
    followers: Fleet<Follower>,
    #[member(list = of(Kind::Needy))]
    needy: Fleet<Needy>,
    #[member(list = of(Kind::Vault))]
    vaults: Fleet<V>,
    #[member(list = of(Kind::Branch))]
    branches: Fleet<Branch>,
    #[member(list = of(Kind::Office))]
    offices: Fleet<Office>,
}
