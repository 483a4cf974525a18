use carthage::prelude::*;

#[machine_model]
struct Desk;

#[layout(implementation = Sandbox)]
struct Site {
    #[member(only = full)]
    desks: Option<[Desk; 20]>,
}

fn main() {}
