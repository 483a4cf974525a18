use carthage::prelude::*;

#[network(v4 = "10.37.0.0/24", pool = "10.37.0.5-10.37.0.25")]
struct Lab;

#[machine_model]
struct Router {
    #[link]
    eth0: Link<Lab>,
    #[link(name = "eth0")]
    eth1: Link<Lab>,
}

fn main() {}
