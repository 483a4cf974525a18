//! Networks and machines for a layout of the suite, where the implementation has links and needs to be told nothing else: two
//! machines that share a network, and a third that shares none with them.

use carthage::prelude::*;

use crate::{Marks, RootMarks};

/// What two share.
#[network(v4 = "10.71.0.0/24", pool = "10.71.0.10-10.71.0.19")]
pub struct Wire;

/// What the third has for itself.
#[network(v4 = "10.72.0.0/24", pool = "10.72.0.10-10.72.0.19", mtu = 1400)]
pub struct Side;

/// The machine that most is about.
#[machine_model(memory_mb = 512)]
pub struct One {
    /// An address from the pool.
    #[link]
    pub eth0: Link<Wire>,
    /// What is done to it.
    #[customize]
    pub marks: Marks,
}

/// The same, where the implementation has [`OfflineRoot`](carthage::machine::capability::Capability::OfflineRoot).
#[machine_model(memory_mb = 512, name = "one")]
pub struct Rooted {
    /// An address from the pool.
    #[link]
    pub eth0: Link<Wire>,
    /// What is done to it.
    #[customize]
    pub marks: Marks,
    /// What is done to its root before that.
    #[customize]
    pub root: RootMarks,
}

/// Its neighbour.
#[machine_model]
pub struct Other {
    /// An address and a hardware address of its own.
    #[link(address = "10.71.0.2", mac = "02:00:5e:10:00:02")]
    pub eth0: Link<Wire>,
}

/// In the network of the neighbour, where the implementation has
/// [`SharedLinks`](carthage::machine::capability::Capability::SharedLinks).
#[machine_model(shares_links = Other)]
pub struct Sharing;

/// Apart.
#[machine_model]
pub struct Stranger {
    /// Another network.
    #[link]
    pub lan: Link<Side>,
}
