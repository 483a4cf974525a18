//! The customization that the first machine of every layout of the suite has.

use std::path::PathBuf;

use carthage::machine::engine::ServiceState;
use carthage::prelude::*;

use crate::subject::facts;

/// Leaves marks in a machine, and notes each time that one of its tasks runs.
#[derive(Debug)]
pub struct Marks {
    word: String,
    waits: bool,
}

/// Read when a layout is opened: as if its source had been edited.
pub(crate) const WORD: &str = "CONFORMANCE_WORD";
/// Set while the second task is to wait for ever.
pub(crate) const WAITS: &str = "CONFORMANCE_WAITS";
/// What processes of the second task have among their arguments while it waits: the same in all processes of one run of the
/// suite, and no other run's on this host.
pub(crate) fn waiting() -> String {
    format!("19{:08}1", rustix::process::getpgrp().as_raw_nonzero())
}
/// What the name of the service begins with.
pub(crate) const SERVICE: &str = "marks.";
/// What the service has among its arguments.
fn serving() -> String {
    format!("19{:08}2", rustix::process::getpgrp().as_raw_nonzero())
}

impl Default for Marks {
    fn default() -> Self {
        let word = std::env::var(WORD).unwrap_or_else(|_| "first".to_owned());
        Self { word, waits: std::env::var_os(WAITS).is_some() }
    }
}

/// Where the marks are.
pub(crate) async fn place(machine: &Machine) -> Result<PathBuf> {
    Ok((facts().base)(machine).await?.join("marks"))
}

/// Notes that a body runs, so that the note is still there when the machine loses its power.
async fn ran(host: &Host, task: &str) -> Result<()> {
    let place = place(host).await?;
    let append = "dd of=\"$PLACE/ran\" oflag=append conv=notrunc,fsync";
    host.command(["sh", "-c", &format!("mkdir -p \"$PLACE\" && echo \"$TASK\" | {append}")])
        .env("PLACE", place)
        .env("TASK", task)
        .run()
        .await?;
    Ok(())
}

#[customization]
impl Marks {
    /// Write the word.
    #[setup_task(hash = &self.word)]
    async fn word(&self, host: &Host) -> Result<()> {
        ran(host, "word").await?;
        host.write(place(host).await?.join("word"), &self.word).await
    }

    /// Wait, if the test wants.
    #[setup_task(hash = self.waits)]
    async fn wait(&self, host: &Host) -> Result<()> {
        ran(host, "wait").await?;
        if self.waits {
            host.run(["sleep", &waiting()]).await?;
        }
        Ok(())
    }

    /// Start a service.
    #[setup_task(after = word)]
    async fn serve(&self, host: &Host) -> Result<()> {
        ran(host, "serve").await?;
        host.spawn(["sleep", &serving()]).await
    }

    #[invalidator(serve)]
    async fn serving(&self, host: &Host) -> Result<bool> {
        let ours = host.services().await?.into_iter().find(|service| service.name.starts_with(SERVICE));
        Ok(ours.is_some_and(|service| matches!(service.state, ServiceState::Running(_))))
    }

    /// Come after all others.
    #[setup_task(after = [wait, serve])]
    async fn last(&self, host: &Host) -> Result<()> {
        ran(host, "last").await
    }
}
