use carthage::prelude::*;

#[network(v4 = "10.37.0.0/24", gateway = "10.37.0.1")]
struct Lab;

#[layout(implementation = Sandbox)]
struct Industrial {
    lab: Lab,
}

fn main() {}
