use carthage::prelude::*;

#[network(cidr = "10.37.0.0/24")]
struct Lab;

#[machine_model]
struct Mirror {
    #[link(address = "10.37.0.2")]
    eth0: Link<Lab>,
}

#[layout(implementation = Sandbox)]
struct Industrial {
    lab: Lab,
    mirror: Mirror,
}

fn main() {}
