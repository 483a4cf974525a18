//! An implementation of somebody else's that can do what none of ours can.

use std::sync::Arc;

use carthage::machine::engine::{Engine, Site};
use carthage::machine::implementation::Implementation;
use carthage::{Error, ErrorKind};

/// Machines of a farm, which can be named and cannot be opened.
#[derive(Debug)]
pub struct Farm;

impl Implementation for Farm {
    const NAME: &'static str = "Farm";

    async fn open(_: Site) -> Result<Arc<dyn Engine>, Error> {
        Err(Error::new(ErrorKind::Unsupported, "the farm is elsewhere"))
    }
}

carthage::capabilities!(
    Farm: Power, Located, Links, Disks, DiskConfig, DiskCache, FirmwareType, Architecture, Console, CloudInit, Limits,
    Login, OnlineRetries, Privileges, Readonly, Gateways, Dhcp, Vlans, Bridges, VlanTrunk, Peers, Tpm, NestedVirt
);
