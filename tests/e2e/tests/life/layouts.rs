//! One layout for every implementation: two machines that share a network, and a third that shares none with them.

use carthage::backend::Sandbox;
use carthage::prelude::*;

use crate::ground::Three;

/// What two share.
#[network(v4 = "10.71.0.0/24", pool = "10.71.0.10-10.71.0.19")]
pub(crate) struct Wire;

/// What the third has for itself.
#[network(v4 = "10.72.0.0/24", pool = "10.72.0.10-10.72.0.19", mtu = 1400)]
pub(crate) struct Side;

/// The machine that most is about.
#[machine_model(memory_mb = 512)]
pub(crate) struct One {
    /// An address from the pool.
    #[link]
    pub(crate) eth0: Link<Wire>,
}

/// Its neighbour.
#[machine_model]
pub(crate) struct Other {
    /// An address and a hardware address of its own.
    #[link(address = "10.71.0.2", mac = "02:00:5e:10:00:02")]
    pub(crate) eth0: Link<Wire>,
}

/// Apart.
#[machine_model]
pub(crate) struct Stranger {
    /// Another network.
    #[link]
    pub(crate) lan: Link<Side>,
}

/// In sandboxes.
#[layout(name = "life", domain = "life.test", implementation = Sandbox)]
pub(crate) struct InSandbox {
    /// A network.
    pub(crate) wire: Wire,
    /// Another.
    pub(crate) side: Side,
    /// A machine.
    pub(crate) one: One,
    /// Its neighbour.
    pub(crate) other: Other,
    /// Apart.
    pub(crate) stranger: Stranger,
}

impl Three for InSandbox {
    fn three(&self) -> [&Machine; 3] {
        [self.one.machine(), self.other.machine(), self.stranger.machine()]
    }
}
