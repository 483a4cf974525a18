use carthage::prelude::*;

#[network(v4 = "10.37.0.0/24")]
struct Lab;

#[machine_model]
struct Worker {
    #[link]
    eth0: Link<Lab>,
}

#[layout(implementation = Sandbox)]
struct Industrial {
    lab: Lab,
    worker: Worker,
}

fn main() {}
