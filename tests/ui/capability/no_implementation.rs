use carthage::prelude::*;

#[machine_model]
struct Mirror;

#[machine_model]
struct Worker;

#[layout]
struct Industrial {
    mirror: Mirror,
    workers: [Worker; 3],
}

fn main() {}
