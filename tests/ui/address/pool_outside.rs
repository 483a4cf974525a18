use carthage::prelude::*;

#[network(v4 = "10.37.0.0/24", pool = "10.38.0.5-10.38.0.6")]
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
