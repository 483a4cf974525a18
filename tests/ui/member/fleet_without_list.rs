use carthage::prelude::*;

#[machine_model]
struct Desk;

#[layout(implementation = Sandbox)]
struct Site {
    trainees: Fleet<Desk>,
}

fn main() {}
