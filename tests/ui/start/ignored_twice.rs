use carthage::prelude::*;

#[machine_model]
struct Mirror;

#[machine_model]
#[ignore_dependency(Mirror)]
#[ignore_dependency(Mirror)]
struct Worker;

#[layout(implementation = Sandbox)]
#[depends_on(Mirror)]
struct Site {
    mirror: Mirror,
    workers: [Worker; 2],
}

fn main() {}
