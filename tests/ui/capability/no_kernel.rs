use carthage::prelude::*;

#[machine_model(kernel = "/boot/vmlinuz")]
struct Mirror;

#[layout(implementation = Sandbox)]
struct Industrial {
    mirror: Mirror,
}

fn main() {}
