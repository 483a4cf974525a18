//! Parts of a library that a layout names: networks that stand for others, parameters in addresses and domains.

use carthage::model::Placement;
use carthage::prelude::*;
use carthage_tests::Paper;

/// What leads to the others.
#[network(abstract)]
struct Uplink;

#[network(v4 = "10.{K}.0.0/24", pool = "10.{K}.0.10-10.{K}.0.99")]
struct Lan<const K: u8>;

#[machine_model]
struct Router<const K: u8> {
    #[link(address = "10.{K}.0.1")]
    lan: Link<Lan<K>>,
    #[link]
    wan: Link<Uplink>,
}

#[enclave(domain = "site{K}.example")]
struct Branch<const K: u8> {
    lan: Lan<K>,
    router: Router<K>,
}

#[network(v4 = "10.0.0.0/24", pool = "10.0.0.1-10.0.0.9")]
struct Backbone;

#[machine_model]
struct Mirror;

#[machine_model]
struct OurMirror;

#[machine_model]
#[depends_on(Mirror)]
struct Worker;

/// A part of it can be replaced.
#[enclave]
struct Kit<M = Mirror> {
    it: M,
}

#[enclave(domain = "theirs")]
struct Theirs {
    kit: Kit,
}

#[enclave(domain = "ours")]
struct Ours {
    kit: Kit<OurMirror>,
}

#[layout(implementation = Paper)]
struct Site {
    #[member(is = Uplink)]
    backbone: Backbone,
    #[member(is = Mirror)]
    mirror: OurMirror,
    one: Branch<1>,
    two: Branch<2>,
    #[member(domain = "third")]
    three: Branch<3>,
    worker: Worker,
    theirs: Theirs,
    ours: Ours,
}

const TWO: Placement = Site::placement("two.router");
const THREE: Placement = Site::placement("three.router");

fn main() {
    assert_eq!(TWO.fqdn(), "router.site2.example");
    assert_eq!(THREE.fqdn(), "router.third");
    assert_eq!(Site::placement("theirs.kit.it").fqdn(), "mirror.theirs");
    assert_eq!(Site::placement("ours.kit.it").fqdn(), "our-mirror.ours");
    let links: Vec<_> = TWO.node().parts.iter().filter_map(|part| match &part.role {
        carthage::model::Role::Link(link) => Some(link),
        _ => None,
    }).collect();
    assert_eq!(TWO.fixed_address(links[0]).unwrap().to_string(), "10.2.0.1");
    assert_eq!(TWO.network(links[0]).unwrap().path(), "two.lan");
    assert_eq!(TWO.network(links[1]).unwrap().path(), "backbone");
    let before = Site::placement("worker").starts_after();
    assert_eq!(before.iter().map(|machine| machine.fqdn()).collect::<Vec<_>>(), ["our-mirror"]);
}
