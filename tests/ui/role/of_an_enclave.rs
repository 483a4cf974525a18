use carthage::prelude::*;

#[machine_model]
struct Desk;

#[enclave]
struct Hall {
    desk: Desk,
}

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
