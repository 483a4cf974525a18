use carthage::prelude::*;

#[machine_model]
struct Mirror;

#[machine_model]
struct Probe;

#[layout(implementation = Sandbox)]
struct Site {
    mirror: Mirror,
    #[member(when = mirror.name().len() > 3)]
    probe: Option<Probe>,
}

fn main() {}
