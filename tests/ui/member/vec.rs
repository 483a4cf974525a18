use carthage::prelude::*;

#[machine_model]
struct Desk;

#[layout(implementation = Sandbox)]
struct Site {
    desks: Vec<Desk>,
}

fn main() {}
