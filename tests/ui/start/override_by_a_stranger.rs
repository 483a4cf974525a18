use carthage::prelude::*;

#[machine_model]
struct Mirror;

#[machine_model(override_dependencies = Hall)]
struct Worker;

#[enclave]
struct Hall {
    mirror: Mirror,
}

#[enclave(override_dependencies = Worker)]
struct Farm {
    workers: [Worker; 2],
}

#[layout(implementation = Sandbox)]
struct Site {
    hall: Hall,
    farm: Farm,
}

fn main() {}
