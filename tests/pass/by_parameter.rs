//! Links that a scope hands to its machines: a role, as a type parameter.

use std::net::Ipv4Addr;

use carthage::model::{Placement, Role};
use carthage::prelude::*;
use carthage_tests::Paper;

#[network(v4 = "10.1.0.0/24", pool = "10.1.0.10-10.1.0.99")]
struct Lan;

#[network(v4 = "10.2.{K}.0/24")]
struct Dmz<const K: u8>;

/// Plugged into the network of the house.
#[role]
struct OnLan {
    #[link]
    eth0: Link<Lan>,
}

/// Into that, and into one more.
#[role]
struct OnBoth<const K: u8> {
    #[role]
    lan: OnLan,
    #[link(address = "10.2.{K}.3-10.2.{K}.5")]
    eth1: Link<Dmz<K>>,
}

#[machine_model]
struct Desk<N> {
    #[role]
    net: N,
}

/// Takes over what is around it, and has a link of its own.
#[machine_model]
struct Printer<N = OnLan> {
    #[role]
    net: N,
    #[link]
    usb0: Link<Lan>,
}

#[machine_model]
#[depends_on(OnLan, name = printer)]
struct Guest;

#[enclave]
struct Office<N = OnLan> {
    desks: [Desk<N>; 3],
    printer: Printer,
}

#[enclave(domain = "dmz", implementation = Paper)]
struct Outside<N> {
    dmz: Dmz<7>,
    office: Office<N>,
}

#[layout]
struct House {
    lan: Lan,
    office: Inside,
    outside: Outside<OnBoth<7>>,
}

#[enclave(domain = "inside", implementation = Paper)]
struct Inside {
    office: Office,
    guest: Guest,
}

/// Field, interface, network, and fixed address of each link.
fn links(machine: Placement) -> Vec<(&'static str, &'static str, &'static str, Option<Ipv4Addr>)> {
    let links = machine.node().parts.iter().filter_map(|part| match &part.role {
        Role::Link(link) => Some((part.field, link)),
        _ => None,
    });
    links
        .map(|(field, link)| {
            (field, link.interface, machine.network(link).unwrap().path(), machine.fixed_address(link))
        })
        .collect()
}

const INSIDE: Placement = House::placement("office.office.desks.3");
const OUTSIDE: Placement = House::placement("outside.office.desks.3");

fn look(house: &House) {
    _ = house.office.office.desks[0].net.eth0.address();
    _ = house.outside.office.desks[0].net.lan.eth0.address();
}

fn main() {
    _ = look;
    assert_eq!(links(INSIDE), [("net.eth0", "eth0", "lan", None)]);
    let fixed = Some(Ipv4Addr::new(10, 2, 7, 5));
    assert_eq!(
        links(OUTSIDE),
        [("net.eth1", "eth1", "outside.dmz", fixed), ("net.lan.eth0", "eth0", "lan", None)]
    );
    assert_eq!(OUTSIDE.fqdn(), "desk-3.dmz");
    let printer = House::placement("office.office.printer");
    assert_eq!(links(printer), [("usb0", "usb0", "lan", None), ("net.eth0", "eth0", "lan", None)]);
    let before = House::placement("office.guest").starts_after();
    assert_eq!(before.iter().map(|machine| machine.path()).collect::<Vec<_>>(), ["office.office.printer"]);
}
