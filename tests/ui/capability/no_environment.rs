use carthage::prelude::*;

#[machine_model]
#[env(NAME = "value")]
struct Mirror;

#[layout(implementation = Sandbox)]
struct Industrial {
    mirror: Mirror,
}

fn main() {}
