use carthage::prelude::*;

#[enclave]
struct Hall;

#[machine_model]
struct Server {
    #[role]
    hall: Hall,
}

#[layout(implementation = Sandbox)]
struct Site {
    server: Server,
}

fn main() {}
