use carthage::prelude::*;

struct Docker;

#[machine_model]
struct Mirror;

#[layout(implementation = Docker)]
struct Industrial {
    mirror: Mirror,
}

fn main() {}
