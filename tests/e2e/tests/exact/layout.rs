//! The layout of the stories: which machines there are, and of what kind, is decided at run time.

use std::cell::RefCell;

use carthage::backend::Simulated;
use carthage::block::{File, Line, Package};
use carthage::prelude::*;

use super::story::{Kind, Story};

/// Where everybody is.
#[network(v4 = "10.70.0.0/24", pool = "10.70.0.5-10.70.0.200")]
pub(crate) struct Front;

/// For some.
#[network(v4 = "10.71.0.0/24", pool = "10.71.0.5-10.71.0.200")]
pub(crate) struct Back;

/// Comes and goes, and has nobody.
#[network]
pub(crate) struct Spare;

/// In each branch.
#[network]
pub(crate) struct Lan;

thread_local! {
    /// What the story of this thread says now.
    static SAID: RefCell<Story> = RefCell::new(Story::new(0));
}

/// From here on, layouts that are opened in this thread are as the story says.
pub(crate) fn tell(story: &Story) {
    SAID.with(|said| *said.borrow_mut() = story.clone());
}

fn said<T>(look: impl FnOnce(&Story) -> T) -> T {
    SAID.with(|said| look(&said.borrow()))
}

/// The machines of a kind.
fn of(kind: Kind) -> Vec<String> {
    said(|story| story.names(kind))
}

/// What the root is given.
pub(crate) struct Base;

#[customization(container)]
impl Base {
    /// Write it.
    #[setup_task(hash = said(|story| story.text(0)))]
    async fn motd(&self, root: &Root) -> Result<()> {
        root.write("/etc/motd", "hello").await
    }

    /// As it is said.
    #[setup_task(after = motd)]
    fn said(&self) -> Blocks<Root> {
        Blocks::new().with(File::at("/etc/said").content(said(|story| story.text(0).to_string())))
    }

    /// After it, unless somebody removed it.
    #[setup_task(after = motd)]
    async fn issue(&self, root: &Root) -> Result<()> {
        root.write("/etc/issue", "a machine").await
    }

    #[invalidator(issue)]
    async fn issued(&self, root: &Root) -> Result<bool> {
        root.exists("/etc/issue").await
    }
}

/// What a running machine is given.
pub(crate) struct Work {
    /// Which of the story's texts.
    pub(crate) text: usize,
    /// Where it works: two of one machine do not disturb each other.
    pub(crate) at: &'static str,
}

impl Work {
    fn file(&self, name: &str) -> String {
        format!("{}/{name}", self.at)
    }
}

#[customization]
impl Work {
    /// Has an input.
    #[setup_task(hash = said(|story| story.text(self.text)))]
    async fn first(&self, host: &Host) -> Result<()> {
        host.write(self.file("first"), "1").await
    }

    /// Asks for itself.
    #[setup_task(after = first)]
    async fn asked(&self, host: &Host) -> Result<()> {
        host.write(self.file("asked"), "2").await
    }

    #[check_completed(asked)]
    async fn is_there(&self, host: &Host) -> Result<bool> {
        host.exists(self.file("asked")).await
    }

    /// May become invalid.
    #[setup_task(after = asked)]
    async fn valid(&self, host: &Host) -> Result<()> {
        host.write(self.file("valid"), "3").await?;
        host.spawn(["server"]).await
    }

    #[invalidator(valid)]
    async fn still(&self, host: &Host) -> Result<bool> {
        host.exists(self.file("valid")).await
    }

    /// As it is said.
    #[setup_task]
    fn said(&self) -> Blocks {
        let text = said(|story| story.text(self.text)).to_string();
        Blocks::new()
            .with(Line::in_file(self.file("said")).line(text).in_place_of(""))
            .with(Package::named("said"))
    }

    /// After what is said.
    #[setup_task(after = said)]
    async fn heard(&self, host: &Host) -> Result<()> {
        host.run(["true"]).await?;
        Ok(())
    }

    /// On its own.
    #[setup_task]
    async fn alone(&self, host: &Host) -> Result<()> {
        host.run(["true"]).await?;
        Ok(())
    }

    /// The last.
    #[setup_task(after = [valid, alone], retries = 1)]
    async fn last(&self, host: &Host) -> Result<()> {
        host.write(self.file("last"), "4").await
    }
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
    work: Work,
}

/// The ordinary kind.
#[machine_model(memory_mb = 128)]
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

/// With another link, for which it is restarted, and after the gateway.
#[machine_model(memory_mb = 128)]
#[depends_on(Gateway)]
pub(crate) struct Wired {
    #[link]
    front: Link<Front>,
    #[link]
    back: Link<Back>,
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

/// All of it, with machines of one kind that may become another where they are.
#[enclave]
pub(crate) struct All<P = Plain> {
    front: Front,
    back: Back,
    #[member(when = said(Story::has_spare))]
    spare: Option<Spare>,
    gateway: Gateway,
    #[member(list = of(Kind::Plain))]
    plain: Fleet<P>,
    #[member(list = of(Kind::Big))]
    big: Fleet<Big>,
    #[member(list = of(Kind::Wired))]
    wired: Fleet<Wired>,
    #[member(list = of(Kind::Imaged))]
    imaged: Fleet<Imaged>,
    #[member(list = of(Kind::Branch))]
    branches: Fleet<Branch>,
}

/// As it is.
#[layout(name = "paper", implementation = Simulated)]
pub(crate) struct Paper {
    all: All,
}

/// After an edit for which machines are made anew.
#[layout(name = "paper", implementation = Simulated)]
pub(crate) struct OtherImage {
    all: All<Imaged>,
}

/// After an edit for which machines are restarted.
#[layout(name = "paper", implementation = Simulated)]
pub(crate) struct OtherLinks {
    all: All<Wired>,
}
