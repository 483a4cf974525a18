use carthage::prelude::*;

#[machine_model(disk_config = [(size_gib = 10, cache = "none")])]
struct Mirror;

#[layout(implementation = Sandbox)]
struct Industrial {
    mirror: Mirror,
}

fn main() {}
