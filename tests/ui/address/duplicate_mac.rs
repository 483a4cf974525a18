use carthage::prelude::*;

#[network(v4 = "10.37.0.0/24", pool = "10.37.0.5-10.37.0.25")]
struct Lab;

#[machine_model]
struct Mirror {
    #[link(mac = "52:54:00:12:34:56")]
    eth0: Link<Lab>,
}

#[machine_model]
struct Worker {
    #[link(mac = "52:54:00:12:34:56")]
    uplink: Link<Lab>,
}

#[layout(implementation = Sandbox)]
struct Industrial {
    lab: Lab,
    mirror: Mirror,
    worker: Worker,
}

fn main() {}
