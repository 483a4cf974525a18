use carthage::prelude::*;

#[injectable]
struct Web;

#[machine_model]
struct Server {
    #[role]
    web: Web,
}

#[layout(implementation = Sandbox)]
struct Site {
    server: Server,
}

fn main() {}
