use carthage::prelude::*;

#[image(base = "docker.io/library/debian:12", root = "/srv/roots/debian")]
struct Debian;

#[image(base = "docker.io/library/debian:12")]
struct Web {
    #[image]
    debian: Debian,
}

#[machine_model(root = "/srv/roots/debian")]
struct Server {
    #[image]
    disk: Debian,
}

fn main() {}
