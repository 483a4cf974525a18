use carthage::prelude::*;

#[machine_model]
struct Desk;

#[layout(implementation = Sandbox)]
struct Site {
    #[member(list = ["ann", "bob"])]
    trainees: [Desk; 2],
}

fn main() {}
