use carthage::prelude::*;

#[network(v4 = "10.37.0.0/24", pool = "10.37.0.5-10.37.0.25")]
struct Lab;

#[machine_model]
struct Mirror {
    #[link(address = "10.37.0.256")]
    eth0: Link<Lab>,
    #[link(address = "10.37.0.2/24")]
    eth1: Link<Lab>,
    #[link(address = "10.37.0.9-10.37.0.7")]
    eth2: Link<Lab>,
}

#[layout(implementation = Sandbox)]
struct Industrial {
    lab: Lab,
    mirror: Mirror,
}

fn main() {}
