use carthage::prelude::*;

#[layout(implementation = Sandbox)]
struct Industrial {
    mirror: Mirror,
    workers: [Worker; 3],
}

/// `#[machine_model]` is missing.
struct Mirror;

struct Worker;

fn main() {}
