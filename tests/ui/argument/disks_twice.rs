use carthage::prelude::*;

#[machine_model(disk_sizes = [10, 20], disk_config = [(size_gib = 10)])]
struct Mirror;

#[layout(implementation = Sandbox)]
struct Industrial {
    mirror: Mirror,
}

fn main() {}
