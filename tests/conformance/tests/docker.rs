//! The conformance suite, on containers of Docker.

#[allow(unreachable_pub, missing_docs, reason = "shared by two programs")]
mod containers;

use std::process::ExitCode;

use carthage::backend::Container;
use carthage::backend::container::ContainerHost;
use carthage::prelude::*;
use carthage_conformance::linked::{Side, Wire};
use carthage_conformance::{Subject, Usurper, Victim};

use containers::{One, Other, Sharing, Stranger};

/// The Docker that was started for the tests.
pub struct Docker;

impl ContainerHost for Docker {
    const NAME: &'static str = "docker";
    const URL: &'static str = "$CARTHAGE_TEST_DOCKER";
}

/// In containers.
#[layout(name = "life", domain = "life.test", implementation = Container<Docker>)]
struct InContainers {
    wire: Wire,
    side: Side,
    one: One,
    other: Other,
    stranger: Stranger,
    sharing: Sharing,
}

impl Subject for InContainers {
    type Implementation = Container<Docker>;
    const LABEL: &'static str = "Container (Docker)";
    // They share one engine, on which a subnet is there once.
    const AT_ONCE: usize = 1;

    fn three(&self) -> [&Machine; 3] {
        [self.one.machine(), self.other.machine(), self.stranger.machine()]
    }

    fn unfit() -> Option<String> {
        containers::unfit::<Docker>()
    }

    async fn kill(victim: Victim) -> Result<()> {
        containers::kill::<Docker>(victim).await
    }

    async fn remove(victim: Victim) -> Result<()> {
        containers::remove::<Docker>(victim).await
    }

    async fn usurp(victim: Victim) -> Result<Option<Box<dyn Usurper>>> {
        containers::usurp::<Docker>(victim).await
    }

    async fn alter(victim: Victim) -> Result<Option<()>> {
        containers::alter::<Docker>(victim).await.map(Some)
    }

    async fn left(_: Vec<Victim>) -> Result<Vec<String>> {
        containers::left::<Docker>().await
    }
}

fn main() -> ExitCode {
    carthage_conformance::main::<InContainers>()
}
