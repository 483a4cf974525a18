use carthage::prelude::*;

#[machine_model]
struct Mirror;

#[machine_model]
struct Mirrors;

#[machine_model]
#[ignore_dependency(Mirrors)]
struct Worker;

#[enclave]
#[ignore_dependency(Worker)]
struct Quiet {
    #[member(name = "quiet")]
    worker: Plain,
}

#[machine_model]
struct Plain;

#[layout(implementation = Sandbox)]
#[depends_on(Mirror)]
struct Site {
    mirror: Mirror,
    mirrors: Mirrors,
    worker: Worker,
    quiet: Quiet,
}

fn main() {}
