use carthage::prelude::*;

#[network(v4 = "10.37.0.0/24", vlan = 5)]
struct Lab;

#[layout(implementation = Sandbox)]
struct Industrial {
    lab: Lab,
}

fn main() {}
