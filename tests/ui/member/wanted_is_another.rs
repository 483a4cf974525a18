use carthage::prelude::*;

#[machine_model]
struct Mirror;

#[machine_model]
struct OurMirror;

#[machine_model]
struct Worker {
    #[inject]
    mirror: Placed<Mirror>,
}

#[layout(implementation = Sandbox)]
struct Site {
    #[member(is = Mirror)]
    mirror: OurMirror,
    worker: Worker,
}

fn main() {}
