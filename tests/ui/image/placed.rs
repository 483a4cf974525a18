use carthage::prelude::*;

#[image(root = "/srv/roots/debian")]
struct Debian;

#[role]
struct Web;

#[machine_model]
struct Server {
    #[role]
    debian: Debian,
}

#[machine_model]
struct Other {
    #[image]
    web: Web,
}

#[layout(implementation = Sandbox)]
struct Site {
    debian: Debian,
    server: Server,
    other: Other,
}

fn main() {}
