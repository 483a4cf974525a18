//! A link of a machine: a field `eth0: Link<Lab>`.

use std::fmt;
use std::marker::PhantomData;
use std::net::IpAddr;
use std::sync::Arc;

use ipnet::IpNet;

use crate::machine::engine::LinkSpec;

/// A network interface of a machine, plugged into the network `N`. Resolved before anything exists.
pub struct Link<N> {
    spec: Arc<LinkSpec>,
    mac: Option<[u8; 6]>,
    network: PhantomData<fn() -> N>,
}

impl<N> Link<N> {
    /// A link with this hardware address.
    pub(crate) fn new(spec: LinkSpec, mac: Option<[u8; 6]>) -> Self {
        Self { spec: Arc::new(spec), mac, network: PhantomData }
    }

    /// The interface's name inside the machine.
    #[must_use]
    pub fn interface(&self) -> &str {
        &self.spec.interface
    }

    /// The address, if the network has any.
    #[must_use]
    pub fn address(&self) -> Option<IpAddr> {
        self.spec.address.map(|net| net.addr())
    }

    /// The address with the length of its network's prefix.
    #[must_use]
    pub fn net(&self) -> Option<IpNet> {
        self.spec.address
    }

    /// The hardware address. For a machine by `Local` it is what the interface had when the layout was resolved; `None` if this host
    /// had no such interface, or one that has no hardware address.
    #[must_use]
    pub fn mac(&self) -> Option<[u8; 6]> {
        self.mac
    }
}

impl<N> Clone for Link<N> {
    fn clone(&self) -> Self {
        Self { spec: self.spec.clone(), mac: self.mac, network: PhantomData }
    }
}

impl<N> fmt::Debug for Link<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Link").field(&self.spec).finish()
    }
}
