use carthage::prelude::*;

#[machine_model]
struct Mirror;

#[machine_model]
#[depends_on(Mirror)]
struct Worker;

#[layout(implementation = Sandbox)]
struct Industrial {
    workers: [Worker; 3],
}

fn main() {}
