use carthage::prelude::*;
use carthage_tests::Farm;

#[network(v4 = "10.37.0.0/24", pool = "10.37.0.5-10.37.0.25")]
struct Lab;

#[network(v4 = "10.38.0.0/24", pool = "10.38.0.5-10.38.0.25")]
struct Storage;

#[machine_model]
struct Switch {
    #[link]
    port1: Link<Lab>,
    #[link]
    port2: Link<Storage>,
}

#[machine_model]
struct Mirror {
    #[link(peer = link!(Switch.port2))]
    eth0: Link<Lab>,
}

#[layout(implementation = Farm)]
struct Industrial {
    lab: Lab,
    storage: Storage,
    switch: Switch,
    mirror: Mirror,
}

fn main() {}
