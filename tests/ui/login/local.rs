use carthage::prelude::*;

#[machine_model(implementation = carthage::Local, ip_address = "192.0.2.7")]
struct Workstation;

#[layout(implementation = Sandbox)]
struct Office {
    workstation: Workstation,
}

fn main() {}
