use carthage::prelude::*;

#[machine_model(firmware_type = "uefi")]
struct Mirror;

#[layout(implementation = Sandbox)]
struct Industrial {
    mirror: Mirror,
}

fn main() {}
