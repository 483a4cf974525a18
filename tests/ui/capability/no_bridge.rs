use carthage::prelude::*;

#[network(bridge = "br0")]
struct Lab;

#[layout(implementation = Sandbox)]
struct Industrial {
    lab: Lab,
}

fn main() {}
