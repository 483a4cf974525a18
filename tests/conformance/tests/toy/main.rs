//! An implementation outside of the runtime, as short as one can be: each machine is a directory and some processes of this host.
//! Its source is quoted in the guide, and passes the conformance suite.

#![expect(clippy::unwrap_used, reason = "a test ends where something is not as it must be")]

mod engine;
mod processes;
mod transport;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use async_trait::async_trait;
use carthage::Error;
use carthage::machine::engine::{Engine, Site};
use carthage::machine::implementation::Implementation;
use carthage::prelude::*;
use carthage_conformance::bare::{One, Other, Stranger};
use carthage_conformance::{Subject, Usurper, Victim};

/// Machines out of directories and processes of this host.
#[derive(Debug)]
pub struct Toy;

impl Implementation for Toy {
    const NAME: &'static str = "Toy";

    async fn open(site: Site) -> Result<Arc<dyn Engine>, Error> {
        Ok(Arc::new(engine::ToyEngine::new(&site)))
    }
}

carthage::capabilities!(Toy: Power, Located, FileTree);

/// The suite's layout, in toys.
#[layout(name = "life", domain = "life.test", implementation = Toy)]
pub struct InToys {
    one: One,
    other: Other,
    stranger: Stranger,
}

impl Subject for InToys {
    type Implementation = Toy;

    fn three(&self) -> [&Machine; 3] {
        [self.one.machine(), self.other.machine(), self.stranger.machine()]
    }

    fn user() -> String {
        let who = std::process::Command::new("id").arg("-un").output().unwrap();
        String::from_utf8_lossy(&who.stdout).trim().to_owned()
    }

    async fn base(machine: &Machine) -> Result<PathBuf> {
        let directory = machine.run(["sh", "-c", "echo \"$TOY\""]).await?.text();
        Ok(PathBuf::from(directory).join("files"))
    }

    async fn kill(victim: Victim) -> Result<()> {
        processes::end(&directory(&victim), std::time::Duration::ZERO).await;
        Ok(())
    }

    async fn remove(victim: Victim) -> Result<()> {
        Ok(tokio::fs::remove_dir_all(directory(&victim)).await?)
    }

    async fn usurp(victim: Victim) -> Result<Option<Box<dyn Usurper>>> {
        Self::kill(victim.clone()).await?;
        Self::remove(victim.clone()).await?;
        let file = directory(&victim).join("a stranger's");
        tokio::fs::create_dir(directory(&victim)).await?;
        tokio::fs::write(&file, "do not touch").await?;
        Ok(Some(Box::new(StrangersDirectory(file))))
    }
}

/// Where the files of a machine are.
fn directory(victim: &Victim) -> PathBuf {
    victim.state.join("toy").join(&victim.machine)
}

/// A directory in which there is a file that the engine has not written.
struct StrangersDirectory(PathBuf);

#[async_trait]
impl Usurper for StrangersDirectory {
    async fn is_untouched(&self) -> Result<bool> {
        Ok(tokio::fs::read(&self.0).await.is_ok_and(|text| text == b"do not touch"))
    }

    async fn remove(self: Box<Self>) -> Result<()> {
        Ok(tokio::fs::remove_dir_all(self.0.parent().unwrap()).await?)
    }
}

fn main() -> ExitCode {
    carthage_conformance::main::<InToys>()
}
