use carthage::prelude::*;

#[machine_model(image = "docker.io/library/debian:12")]
struct Mirror;

#[layout(implementation = Sandbox)]
struct Industrial {
    mirror: Mirror,
}

fn main() {}
