use carthage::prelude::*;

#[machine_model]
struct Desk;

#[layout(implementation = Sandbox)]
struct Site {
    #[member(list = 20)]
    trainees: Fleet<Desk>,
}

fn main() {}
