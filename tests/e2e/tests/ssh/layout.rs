//! The layout: sandboxes with OpenSSH servers, and the same as hosts that are reached by ssh, in every way.

use carthage::prelude::*;
use carthage::{BareMetal, backend::Sandbox};
use carthage_conformance::openssh::OpenSshServer;

/// A key of a host, which is pinned in a model. Nothing but this test knows it.
const HOST_KEY: &str = include_str!("host_key");

/// Where most hosts are.
#[network(v4 = "10.74.0.0/24")]
pub(crate) struct Outer;

/// Where the one is that can be reached through another only.
#[network(v4 = "10.75.0.0/24")]
pub(crate) struct Inner;

/// A network with the addresses of the first, which the layout does not know.
#[network]
pub(crate) struct Twin;

/// Where connections begin.
#[machine_model]
pub(crate) struct Gate {
    #[link(address = "10.74.0.1")]
    eth0: Link<Outer>,
}

/// A usual host.
#[machine_model]
pub(crate) struct PlainHost {
    #[link(address = "10.74.0.2")]
    eth0: Link<Outer>,
    #[customize(OpenSshServer { host_key: HOST_KEY.to_owned(), ..OpenSshServer::default() })]
    ssh: OpenSshServer,
}

/// One that allows one session.
#[machine_model]
pub(crate) struct OneHost {
    #[link(address = "10.74.0.3")]
    eth0: Link<Outer>,
    #[customize(OpenSshServer { max_sessions: 1, ..OpenSshServer::default() })]
    ssh: OpenSshServer,
}

/// One that allows three, and has no files to offer.
#[machine_model]
pub(crate) struct ThreeHost {
    #[link(address = "10.74.0.4")]
    eth0: Link<Outer>,
    #[customize(OpenSshServer { max_sessions: 3, sftp: false, ..OpenSshServer::default() })]
    ssh: OpenSshServer,
}

/// One that is on both networks.
#[machine_model]
pub(crate) struct BastionHost {
    #[link(address = "10.74.0.5")]
    eth0: Link<Outer>,
    #[link(address = "10.75.0.5")]
    eth1: Link<Inner>,
    #[customize]
    ssh: OpenSshServer,
}

/// One that is on the inner network.
#[machine_model]
pub(crate) struct DeepHost {
    #[link(address = "10.75.0.2")]
    eth0: Link<Inner>,
    #[customize]
    ssh: OpenSshServer,
}

/// Gives a machine an address that the layout does not know.
pub(crate) struct Address(&'static str);

#[customization]
impl Address {
    /// Take it.
    #[setup_task]
    async fn take(&self, host: &Host) -> Result<()> {
        host.run(["ip", "address", "replace", self.0, "dev", "eth0"]).await?;
        host.run(["ip", "link", "set", "eth0", "up"]).await?;
        Ok(())
    }
}

/// Where connections to the twin begin.
#[machine_model]
pub(crate) struct TwinGate {
    #[link]
    eth0: Link<Twin>,
    #[customize(Address("10.74.0.1/24"))]
    address: Address,
}

/// The usual host's twin: another host of the same address.
#[machine_model]
pub(crate) struct TwinHost {
    #[link]
    eth0: Link<Twin>,
    #[customize(Address("10.74.0.2/24"))]
    address: Address,
    #[customize]
    ssh: OpenSshServer,
}

/// Its key is in the model.
#[machine_model(
    ip_address = "10.74.0.2",
    ssh_origin = Gate,
    ssh_host_key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJW1cXm2QgnSr2c/zxqjbKdV4s/vANDR7yWHsRtv99ih"
)]
#[depends_on(PlainHost)]
pub(crate) struct Pinned;

/// Another key is in the model.
#[machine_model(
    ip_address = "10.74.0.2",
    ssh_origin = Gate,
    ssh_host_key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAILKMvZo2Vhxt7xnG/BA10B8LbsN7LtwDM/JnvRkLha4X"
)]
#[depends_on(PlainHost)]
pub(crate) struct Mistaken;

/// No key is known.
#[machine_model(ip_address = "10.74.0.2", ssh_origin = Gate)]
#[depends_on(PlainHost)]
pub(crate) struct Unknown;

/// The first key is learned.
#[machine_model(ip_address = "10.74.0.2", ssh_origin = Gate, ssh_learn_host_key)]
#[depends_on(PlainHost)]
pub(crate) struct Learned;

/// The other host of that address.
#[machine_model(ip_address = "10.74.0.2", ssh_origin = TwinGate, ssh_learn_host_key)]
#[depends_on(TwinHost)]
pub(crate) struct LearnedTwin;

/// One session.
#[machine_model(ip_address = "10.74.0.3", ssh_origin = Gate, ssh_learn_host_key)]
#[depends_on(OneHost)]
pub(crate) struct One;

/// Three sessions.
#[machine_model(ip_address = "10.74.0.4", ssh_origin = Gate, ssh_learn_host_key)]
#[depends_on(ThreeHost)]
pub(crate) struct Three;

/// What others are reached through.
#[machine_model(ip_address = "10.74.0.5", ssh_origin = Gate, ssh_learn_host_key)]
#[depends_on(BastionHost)]
pub(crate) struct Bastion;

/// Through a machine, which has an origin.
#[machine_model(ip_address = "10.75.0.2", ssh_jump = Bastion, ssh_learn_host_key)]
#[depends_on(DeepHost)]
pub(crate) struct Deep;

/// Through a machine, with an origin.
#[machine_model(ip_address = "10.75.0.2", ssh_jump = Bastion, ssh_origin = Gate, ssh_learn_host_key)]
#[depends_on(DeepHost)]
pub(crate) struct DeepBoth;

/// Through a host that is no machine of the layout to it, with an origin.
#[machine_model(ip_address = "10.75.0.2", ssh_jump = "root@10.74.0.5:22", ssh_origin = Gate, ssh_learn_host_key)]
#[depends_on(DeepHost)]
#[depends_on(BastionHost)]
pub(crate) struct DeepByName;

/// Nobody is there.
#[machine_model(ip_address = "10.74.0.99", ssh_origin = Gate, ssh_learn_host_key, ssh_online_timeout = 2)]
pub(crate) struct Dead;

/// What is reached.
#[enclave(implementation = BareMetal)]
pub(crate) struct Metal {
    pinned: Pinned,
    mistaken: Mistaken,
    unknown: Unknown,
    learned: Learned,
    learned_twin: LearnedTwin,
    one: One,
    three: Three,
    bastion: Bastion,
    deep: Deep,
    deep_both: DeepBoth,
    deep_by_name: DeepByName,
    dead: Dead,
}

/// The hosts, and what is reached.
#[layout(name = "reached", implementation = Sandbox)]
pub(crate) struct Reached {
    outer: Outer,
    inner: Inner,
    twin: Twin,
    gate: Gate,
    plain_host: PlainHost,
    one_host: OneHost,
    three_host: ThreeHost,
    bastion_host: BastionHost,
    deep_host: DeepHost,
    twin_gate: TwinGate,
    twin_host: TwinHost,
    metal: Metal,
}
