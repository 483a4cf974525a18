use carthage::prelude::*;

#[machine_model]
struct Probe;

#[layout(implementation = Sandbox)]
struct Site {
    probe: Option<Probe>,
}

fn main() {}
