use carthage::prelude::*;

#[machine_model(name, memory_mb = "256", cpus = 0, tpm = true, tpm)]
struct Mirror;

#[enclave(domain = "a", domain = "b")]
struct Algebra {
    #[member(name = mirror)]
    mirror: Mirror,
}

fn main() {}
