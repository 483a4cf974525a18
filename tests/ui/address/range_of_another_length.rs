use carthage::prelude::*;

#[network(v4 = "10.37.0.0/24", pool = "10.37.0.5-10.37.0.25")]
struct Lab;

#[machine_model]
struct Worker {
    #[link(address = "10.37.0.1-10.37.0.3")]
    eth0: Link<Lab>,
}

#[layout(implementation = Sandbox)]
struct Industrial {
    lab: Lab,
    workers: [Worker; 4],
}

fn main() {}
