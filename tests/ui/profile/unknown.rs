use carthage::prelude::*;

#[machine_model]
struct Desk;

#[layout(implementation = Sandbox)]
#[profile(small)]
#[profile(full)]
struct Site {
    #[member(only = ful)]
    desks: Option<[Desk; 20]>,
}

fn main() {}
