use carthage::prelude::*;

#[image(root = "/srv/roots/debian")]
struct Debian;

#[role]
struct Web {
    #[image]
    disk: Debian,
}

fn main() {}
