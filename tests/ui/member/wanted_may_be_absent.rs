use carthage::prelude::*;

#[machine_model]
struct Probe;

#[machine_model]
struct Viewer {
    #[inject]
    probe: Placed<Probe>,
}

#[layout(implementation = Sandbox)]
struct Site {
    #[member(when = std::env::var_os("PROBE").is_some())]
    probe: Option<Probe>,
    viewer: Viewer,
}

fn main() {}
