use carthage::prelude::*;

#[machine_model(readonly)]
struct Mirror;

#[layout(implementation = Sandbox)]
struct Industrial {
    mirror: Mirror,
}

fn main() {}
