use carthage::prelude::*;

#[role]
struct Web;

#[layout(implementation = Sandbox)]
struct Site {
    web: Web,
}

fn main() {}
