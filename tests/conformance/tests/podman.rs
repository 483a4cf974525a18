//! The conformance suite, on containers of Podman.

#[allow(unreachable_pub, missing_docs, reason = "shared by two programs")]
mod containers;

use std::process::ExitCode;

use carthage::backend::Container;
use carthage::backend::container::ContainerHost;
use carthage::prelude::*;
use carthage_conformance::linked::{Side, Wire};
use carthage_conformance::{Subject, Usurper, Victim};

use containers::{One, Other, Sharing, Stranger};

/// The Podman that was started for the tests.
pub struct Podman;

impl ContainerHost for Podman {
    const NAME: &'static str = "podman";
    const URL: &'static str = "$CARTHAGE_TEST_PODMAN";
}

/// In containers.
#[layout(name = "life", domain = "life.test", implementation = Container<Podman>)]
struct InContainers {
    wire: Wire,
    side: Side,
    one: One,
    other: Other,
    stranger: Stranger,
    sharing: Sharing,
}

impl Subject for InContainers {
    type Implementation = Container<Podman>;
    const LABEL: &'static str = "Container (Podman)";
    // They share one engine, on which a subnet is there once.
    const AT_ONCE: usize = 1;

    fn three(&self) -> [&Machine; 3] {
        [self.one.machine(), self.other.machine(), self.stranger.machine()]
    }

    fn unfit() -> Option<String> {
        containers::unfit::<Podman>()
    }

    async fn kill(victim: Victim) -> Result<()> {
        containers::kill::<Podman>(victim).await
    }

    async fn remove(victim: Victim) -> Result<()> {
        containers::remove::<Podman>(victim).await
    }

    async fn usurp(victim: Victim) -> Result<Option<Box<dyn Usurper>>> {
        containers::usurp::<Podman>(victim).await
    }

    async fn alter(victim: Victim) -> Result<Option<()>> {
        containers::alter::<Podman>(victim).await.map(Some)
    }

    async fn left(_: Vec<Victim>) -> Result<Vec<String>> {
        containers::left::<Podman>().await
    }
}

fn main() -> ExitCode {
    carthage_conformance::main::<InContainers>()
}
