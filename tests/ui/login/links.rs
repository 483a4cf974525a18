use carthage::prelude::*;

#[network(v4 = "10.37.0.0/24", pool = "10.37.0.5-10.37.0.25")]
struct Lab;

#[machine_model(ip_address = "192.0.2.7")]
struct Storage {
    #[link]
    eth0: Link<Lab>,
}

#[layout(implementation = carthage::BareMetal)]
struct Cellar {
    lab: Lab,
    storage: Storage,
}

fn main() {}
