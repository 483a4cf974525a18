use carthage::prelude::*;

#[network(v4 = "10.37.0.0/24", pool = "10.37.0.5-10.37.0.25")]
struct Lab;

#[role]
struct OnLab {
    #[link]
    eth0: Link<Lab>,
}

#[machine_model]
struct Server {
    #[role]
    on: OnLab,
}

#[layout(implementation = Sandbox)]
struct Site {
    server: Server,
}

fn main() {}
