use carthage::prelude::*;

#[image(base = "docker.io/library/debian:12")]
struct Debian;

#[machine_model]
struct Server {
    #[image]
    disk: Debian,
}

#[layout(implementation = Sandbox)]
struct Site {
    server: Server,
}

fn main() {}
