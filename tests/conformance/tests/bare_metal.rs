//! The conformance suite, on hosts that are reached by ssh: sandboxes with an OpenSSH server in them.

use std::process::ExitCode;

use carthage::prelude::*;
use carthage::{BareMetal, backend::Sandbox};
use carthage_conformance::openssh::{self, OpenSshServer};
use carthage_conformance::{Marks, Subject, Victim};

/// What they are all on.
#[network(v4 = "10.73.0.0/24")]
struct Wire;

/// Where connections begin.
#[machine_model]
struct Gate {
    #[link(address = "10.73.0.1")]
    eth0: Link<Wire>,
}

/// A host.
#[machine_model]
struct FirstHost {
    #[link(address = "10.73.0.2")]
    eth0: Link<Wire>,
    #[customize]
    ssh: OpenSshServer,
}

/// A host.
#[machine_model]
struct SecondHost {
    #[link(address = "10.73.0.3")]
    eth0: Link<Wire>,
    #[customize]
    ssh: OpenSshServer,
}

/// A host.
#[machine_model]
struct ThirdHost {
    #[link(address = "10.73.0.4")]
    eth0: Link<Wire>,
    #[customize]
    ssh: OpenSshServer,
}

/// What most is about.
#[machine_model(ip_address = "10.73.0.2", ssh_origin = Gate, ssh_learn_host_key)]
#[depends_on(FirstHost)]
struct One {
    #[customize]
    marks: Marks,
}

/// Another.
#[machine_model(ip_address = "10.73.0.3", ssh_origin = Gate, ssh_learn_host_key)]
#[depends_on(SecondHost)]
struct Other;

/// A third.
#[machine_model(ip_address = "10.73.0.4", ssh_origin = Gate, ssh_learn_host_key)]
#[depends_on(ThirdHost)]
struct Stranger;

/// What is reached.
#[enclave(implementation = BareMetal)]
struct Metal {
    one: One,
    other: Other,
    stranger: Stranger,
}

/// The hosts, and what is reached.
#[layout(name = "metal", domain = "metal.test", implementation = Sandbox)]
struct OnMetal {
    wire: Wire,
    gate: Gate,
    first: FirstHost,
    second: SecondHost,
    third: ThirdHost,
    metal: Metal,
}

impl Subject for OnMetal {
    type Implementation = BareMetal;

    const AT_ONCE: usize = 3;

    fn three(&self) -> [&Machine; 3] {
        let Metal { one, other, stranger } = &*self.metal;
        [one.machine(), other.machine(), stranger.machine()]
    }

    fn unfit() -> Option<String> {
        openssh::unfit()
    }

    async fn remove(victim: Victim) -> Result<()> {
        let record = victim.state.join("bare-metal").join(format!("{}.json", victim.machine));
        Ok(tokio::fs::remove_file(record).await?)
    }
}

fn main() -> ExitCode {
    carthage_conformance::main::<OnMetal>()
}
