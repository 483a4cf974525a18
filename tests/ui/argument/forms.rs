use carthage::prelude::*;

#[machine_model(name, memory_mb = "256", cpus = 0, hardware_tpm = true, hardware_tpm)]
struct Mirror;

#[enclave(domain = "a", domain = "b")]
struct Algebra {
    #[member(name = mirror)]
    mirror: Mirror,
}

fn main() {}
