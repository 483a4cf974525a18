use carthage::prelude::*;
use carthage_tests::Farm;

/// How much of a graphics card a machine of the farm gets.
#[derive(serde::Serialize, serde::Deserialize)]
struct Gpu {
    memory_gib: u32,
}

impl carthage::machine::engine::MachineOptions for Gpu {
    const NAME: &'static str = "gpu";
}

impl carthage::machine::implementation::Takes<Gpu> for Farm {}

#[machine_model]
#[options(Gpu { memory_gib: 4 })]
struct Painter;

#[layout(implementation = Farm)]
struct Industrial {
    #[member(name = "one")]
    painter: Painter,
    elsewhere: Elsewhere,
}

#[enclave(implementation = Sandbox)]
struct Elsewhere {
    painter: Painter,
}

fn main() {}
