use carthage::prelude::*;

#[machine_model(console_needed)]
struct Mirror;

#[layout(implementation = Sandbox)]
struct Industrial {
    mirror: Mirror,
}

fn main() {}
