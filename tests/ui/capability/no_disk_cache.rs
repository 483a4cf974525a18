use carthage::prelude::*;

#[machine_model(disk_cache = "none")]
struct Mirror;

#[layout(implementation = Sandbox)]
struct Industrial {
    mirror: Mirror,
}

fn main() {}
