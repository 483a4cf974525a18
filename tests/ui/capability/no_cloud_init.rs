use carthage::prelude::*;

#[machine_model(cloud_init)]
struct Mirror;

#[layout(implementation = Sandbox)]
struct Industrial {
    mirror: Mirror,
}

fn main() {}
