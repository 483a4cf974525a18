//! How a network's addresses are given out, and what it is on its host, as constants.

use std::net::Ipv4Addr;

use super::key::At;
use super::node::LinkRef;

/// An IPv4 subnet as a constant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cidr4 {
    /// The network address.
    pub network: Ipv4Addr,
    /// Leading one bits of the mask, 0 to 32.
    pub prefix: u8,
}

/// Consecutive IPv4 addresses, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Range4 {
    /// The first.
    pub first: Ipv4Addr,
    /// The last; the same as the first for a single address.
    pub last: Ipv4Addr,
}

/// How a network's addresses are given out.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Addressing {
    /// The subnet.
    pub v4: Option<Cidr4>,
    /// Addresses for links that name none.
    pub pool: Option<Range4>,
    /// Bytes per frame.
    pub mtu: Option<u32>,
    /// Where frames for other networks are sent.
    pub gateway: Option<Ipv4Addr>,
    /// The link that is the gateway, where it is named as one.
    pub gateway_link: Option<LinkRef>,
    /// What a DHCP server gives out.
    pub dhcp: Option<Range4>,
    /// The VLAN that its frames belong to.
    pub vlan: Option<u16>,
    /// The bridge of the host that it is, if it is one that is there already.
    pub bridge: Option<&'static str>,
    /// The link whose interface is that bridge, where it is named as one.
    pub bridge_link: Option<LinkRef>,
    /// Where the attribute stands.
    pub at: At,
}

impl Addressing {
    /// Nothing is known.
    pub const NONE: Self = Self::at(At::new("", 0));

    /// Nothing is known; the attribute stands here.
    #[must_use]
    pub const fn at(at: At) -> Self {
        Self {
            v4: None,
            pool: None,
            mtu: None,
            gateway: None,
            gateway_link: None,
            dhcp: None,
            vlan: None,
            bridge: None,
            bridge_link: None,
            at,
        }
    }

    /// With a subnet.
    #[must_use]
    pub const fn v4(mut self, v4: Cidr4) -> Self {
        self.v4 = Some(v4);
        self
    }

    /// With a pool for links that name no address.
    #[must_use]
    pub const fn pool(mut self, pool: Range4) -> Self {
        self.pool = Some(pool);
        self
    }

    /// With bytes per frame.
    #[must_use]
    pub const fn mtu(mut self, mtu: u32) -> Self {
        self.mtu = Some(mtu);
        self
    }

    /// With this gateway.
    #[must_use]
    pub const fn gateway(mut self, gateway: Ipv4Addr) -> Self {
        self.gateway = Some(gateway);
        self
    }

    /// With this link as the gateway: it has a fixed address.
    #[must_use]
    pub const fn gateway_link(mut self, link: LinkRef) -> Self {
        self.gateway = match link.address {
            Some(Range4 { first, last }) if first.to_bits() == last.to_bits() => Some(first),
            _ => None,
        };
        self.gateway_link = Some(link);
        self
    }

    /// With addresses that a DHCP server gives out.
    #[must_use]
    pub const fn dhcp(mut self, dhcp: Range4) -> Self {
        self.dhcp = Some(dhcp);
        self
    }

    /// In this VLAN.
    #[must_use]
    pub const fn vlan(mut self, vlan: u16) -> Self {
        self.vlan = Some(vlan);
        self
    }

    /// As this bridge of the host.
    #[must_use]
    pub const fn bridge(mut self, bridge: &'static str) -> Self {
        self.bridge = Some(bridge);
        self
    }

    /// As the bridge that this link of the host's own is.
    #[must_use]
    pub const fn bridge_link(mut self, link: LinkRef) -> Self {
        self.bridge = Some(link.interface);
        self.bridge_link = Some(link);
        self
    }
}
