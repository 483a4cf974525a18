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
    probes: [Probe; 3],
    viewer: Viewer,
}

fn main() {}
