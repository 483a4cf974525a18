//! Networks whose gateways are links of machines.

use std::net::Ipv4Addr;

use carthage::prelude::*;
use carthage_tests::Farm;

#[network(v4 = "10.1.0.0/24", pool = "10.1.0.10-10.1.0.99", gateway = link!(Router.inside))]
struct Lan;

#[network(v4 = "10.{K}.0.0/24", gateway = link!(Branch<K>.lan))]
struct Site<const K: u8>;

#[machine_model]
struct Router {
    #[link(address = "10.1.0.1")]
    inside: Link<Lan>,
}

#[machine_model]
struct Branch<const K: u8> {
    #[link(address = "10.{K}.0.254")]
    lan: Link<Site<K>>,
    #[link]
    wan: Link<Lan>,
}

#[enclave]
struct Place<const K: u8> {
    lan: Site<K>,
    router: Branch<K>,
}

#[layout(implementation = Farm)]
struct House {
    lan: Lan,
    router: Router,
    place: Place<2>,
}

fn main() {
    let gateway = |path| House::placement(path).node().addressing.gateway;
    assert_eq!(gateway("lan"), Some(Ipv4Addr::new(10, 1, 0, 1)));
    assert_eq!(gateway("place.lan"), Some(Ipv4Addr::new(10, 2, 0, 254)));
}
