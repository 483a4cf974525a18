use carthage::prelude::*;

#[machine_model]
struct Probe;

#[layout(implementation = Sandbox)]
struct Site {
    #[member(when = "always")]
    probe: Option<Probe>,
}

fn main() {}
