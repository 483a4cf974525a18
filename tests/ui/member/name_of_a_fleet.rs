use carthage::prelude::*;

#[machine_model]
struct Desk;

#[layout(implementation = Sandbox)]
struct Site {
    #[member(name = "desk", list = ["ann", "bob"])]
    trainees: Fleet<Desk>,
}

fn main() {}
