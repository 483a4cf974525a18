//! A virtual machine of libvirt. Its kernel and what it boots come from the environment: `MIXED_KERNEL` and `MIXED_INITRD`, and
//! `MIXED_IMAGE` for the disk that is its root. The tests make small ones; the guide's page on virtual machines says what a guest
//! needs.

use carthage::backend::Vm;
use carthage::prelude::*;

use crate::site::{StaticSite, Words};

/// What the virtual machine is plugged into.
#[network(v4 = "10.41.3.0/24")]
pub struct Hall;

/// One virtual machine.
#[enclave(implementation = Vm)]
pub struct Virtual {
    /// The network.
    pub hall: Hall,
    /// It.
    pub vm: Guest,
}

/// A virtual machine.
#[machine_model(
    name = "vm",
    memory_mb = 192,
    image = "$MIXED_IMAGE",
    kernel = "$MIXED_KERNEL",
    initrd = "$MIXED_INITRD"
)]
pub struct Guest {
    /// An address that it is given by DHCP.
    #[link(address = "10.41.3.2")]
    pub eth0: Link<Hall>,
    /// What the page says.
    #[inject]
    pub words: Arc<Words>,
    /// The page.
    #[customize(StaticSite::new(&words))]
    pub site: StaticSite,
}
