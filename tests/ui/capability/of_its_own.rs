use carthage::prelude::*;

#[machine_model(nested_virt, implementation = Sandbox)]
struct Hypervisor;

#[layout]
struct Site {
    hypervisor: Hypervisor,
}

fn main() {}
