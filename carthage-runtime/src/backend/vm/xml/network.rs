//! A network as libvirt takes it.

use std::net::IpAddr;

use super::element::Element;
use crate::error::Error;

/// A network from which nothing leads outside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in super::super) struct Network {
    /// Its name, unique on the host.
    pub(in super::super) name: String,
    /// Ditto, and what it is found by.
    pub(in super::super) uuid: String,
    /// The name of its bridge, at most 15 bytes.
    pub(in super::super) bridge: String,
    /// The hardware address of its bridge: new whenever it is made anew. None if the bridge is the host's own; then it has neither
    /// addresses nor an MTU here.
    pub(in super::super) mac: Option<String>,
    pub(in super::super) mtu: Option<u32>,
    /// The host's own address in it, and the prefix length.
    pub(in super::super) address: Option<(IpAddr, u8)>,
    /// Who gets which address.
    pub(in super::super) leases: Vec<Lease>,
}

/// The address that a machine gets when it asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in super::super) struct Lease {
    pub(in super::super) mac: String,
    pub(in super::super) name: String,
    pub(in super::super) address: IpAddr,
}

impl Lease {
    fn element(&self) -> Element {
        Element::new("host").with("mac", &self.mac).with("name", &self.name).with("ip", self.address)
    }

    /// The lease alone, for a change of a network that works.
    pub(in super::super) fn xml(&self) -> Result<String, Error> {
        self.element().render(&format!("the address of `{}`", self.name))
    }
}

impl Network {
    /// What is particular to one whose bridge is made for it, or to one whose bridge is there.
    fn own(&self, ip: impl Fn((IpAddr, u8)) -> Element) -> Vec<Element> {
        let bridge = Element::new("bridge").with("name", &self.bridge);
        let Some(mac) = &self.mac else {
            return vec![Element::new("forward").with("mode", "bridge"), bridge];
        };
        let mut own = vec![bridge.with("stp", "off").with("delay", "0")];
        own.extend(self.mtu.map(|mtu| Element::new("mtu").with("size", mtu)));
        own.push(Element::new("mac").with("address", mac));
        // Names are in the machines' own lists; a server for them would only listen on the host.
        own.push(Element::new("dns").with("enable", "no"));
        own.extend(self.address.map(ip));
        own
    }

    /// The document that defines it.
    ///
    /// # Errors
    /// When something in it cannot be written as XML.
    pub(in super::super) fn xml(&self) -> Result<String, Error> {
        let ip = |(address, prefix): (IpAddr, u8)| {
            let dhcp = Element::new("dhcp").children(self.leases.iter().map(Lease::element));
            Element::new("ip")
                .with("family", if address.is_ipv4() { "ipv4" } else { "ipv6" })
                .with("address", address)
                .with("prefix", prefix)
                .children((!self.leases.is_empty()).then_some(dhcp))
        };
        Element::new("network")
            .child(Element::text("name", &self.name))
            .child(Element::text("uuid", &self.uuid))
            .children(self.own(ip))
            .render(&format!("the network `{}`", self.name))
    }
}
