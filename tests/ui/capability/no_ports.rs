use carthage::prelude::*;

#[machine_model]
#[expose(80)]
struct Mirror;

#[layout(implementation = Sandbox)]
struct Industrial {
    mirror: Mirror,
}

fn main() {}
