use carthage::prelude::*;

#[machine_model]
struct Mirror;

#[machine_model]
struct Worker;

#[enclave]
#[depends_on(Mirror)]
struct Farm {
    workers: [Worker; 2],
}

#[enclave]
#[depends_on(Site)]
struct Hall {
    #[member(name = "hall")]
    worker: Worker,
}

#[layout(implementation = Sandbox)]
struct Site {
    farm: Farm,
    hall: Hall,
}

fn main() {}
