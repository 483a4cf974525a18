use carthage::prelude::*;

#[machine_model]
struct Probe;

#[layout(implementation = Sandbox)]
struct Site {
    #[member(when = std::env::var_os("PROBE").is_some())]
    probe: Probe,
}

fn main() {}
