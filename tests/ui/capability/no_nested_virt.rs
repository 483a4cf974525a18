use carthage::prelude::*;

#[machine_model(nested_virt)]
struct Mirror;

#[layout(implementation = Sandbox)]
struct Industrial {
    mirror: Mirror,
}

fn main() {}
