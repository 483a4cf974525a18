use carthage::prelude::*;

#[machine_model]
struct Web;

#[machine_model(name = "web")]
struct Server;

#[enclave(domain = "shop")]
struct Front {
    web: Web,
}

#[enclave(domain = "shop")]
struct Back {
    server: Server,
}

#[layout(implementation = Sandbox)]
struct Site {
    front: Front,
    back: Back,
}

fn main() {}
