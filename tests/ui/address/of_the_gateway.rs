use carthage::prelude::*;
use carthage_tests::Farm;

#[network(v4 = "10.37.0.0/24", gateway = "10.37.0.1")]
struct Lab;

#[machine_model]
struct Worker {
    #[link(address = "10.37.0.1-10.37.0.3")]
    eth0: Link<Lab>,
}

#[layout(implementation = Farm)]
struct Industrial {
    lab: Lab,
    workers: [Worker; 3],
}

fn main() {}
