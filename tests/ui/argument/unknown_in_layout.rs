use carthage::prelude::*;

#[layout(name = "industrial", implementaton = Sandbox)]
struct Industrial {
    mirror: Mirror,
}

#[machine_model]
struct Mirror;

fn main() {}
