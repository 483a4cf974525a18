use carthage::prelude::*;

#[machine_model(architecture = "aarch64")]
struct Mirror;

#[layout(implementation = Sandbox)]
struct Industrial {
    mirror: Mirror,
}

fn main() {}
