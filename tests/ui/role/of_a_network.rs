use carthage::prelude::*;

#[network(v4 = "10.37.0.0/24", pool = "10.37.0.5-10.37.0.25")]
struct Lab;

#[machine_model]
struct Server {
    #[link]
    eth0: Link<Lab>,
    #[role]
    lab: Lab,
}

#[layout(implementation = Sandbox)]
struct Site {
    lab: Lab,
    server: Server,
}

fn main() {}
