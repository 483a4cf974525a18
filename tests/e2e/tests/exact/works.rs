//! What machines are given: setup tasks with inputs, with checks, as building blocks, and after tasks of other machines.
//!
//! Each customization writes into a directory of its own, so that what one has left that is gone can be told from what another has.

use carthage::block::{File, Line, Package};
use carthage::prelude::*;

use super::models::{Gateway, Office};
use super::story::said;

/// What the root is given, in `/etc`.
pub(crate) struct Base;

#[customization(container)]
impl Base {
    /// Write it.
    #[setup_task(hash = said(|story| story.text(0)))]
    async fn motd(&self, root: &Root) -> Result<()> {
        root.write("/etc/motd", said(|story| story.text(0)).to_string()).await
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

    fn text(&self) -> String {
        said(|story| story.text(self.text)).to_string()
    }
}

#[customization]
impl Work {
    /// Has an input.
    #[setup_task(hash = self.text())]
    async fn first(&self, host: &Host) -> Result<()> {
        host.write(self.file("first"), self.text()).await
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
        Blocks::new()
            .with(Line::in_file(self.file("said")).line(self.text()).in_place_of(""))
            .with(Package::named("said"))
    }

    /// After what is said.
    #[setup_task(after = said)]
    async fn heard(&self, host: &Host) -> Result<()> {
        host.write(self.file("heard"), host.read(self.file("said")).await?).await
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

/// What has to do with the gateway, in `/follow`.
pub(crate) struct Follow;

#[customization]
impl Follow {
    /// Take what the gateway has, whenever it has another.
    #[setup_task(after = Gateway.work.first, depend_on = Gateway)]
    async fn fetch(&self, host: &Host) -> Result<()> {
        host.write("/follow/fetched", said(|story| story.text(1)).to_string()).await
    }

    /// Keep it, unless the gateway says that it is another.
    #[setup_task(after = fetch, depend_on_to_judge = Gateway)]
    async fn keep(&self, host: &Host) -> Result<()> {
        host.write("/follow/kept", said(|story| story.text(1)).to_string()).await
    }

    #[invalidator(keep)]
    async fn is_the_gateways(&self, host: &Host) -> Result<bool> {
        let kept = host.read_to_string("/follow/kept").await.unwrap_or_default();
        Ok(kept == said(|story| story.text(1)).to_string())
    }
}

/// What takes in what is generated around it, in `/var`.
pub(crate) struct TakeIn;

#[customization]
impl TakeIn {
    /// Know who there is.
    #[setup_task]
    async fn who(&self, host: &Host, #[inject] made: &Generated<Office>) -> Result<()> {
        host.write("/var/who", made.read("who").await?).await
    }
}
