use carthage::prelude::*;

#[machine_model(hardware_tpm)]
struct Vault;

#[enclave]
struct Safe {
    vault: Vault,
}

#[layout(implementation = Sandbox)]
struct Bank {
    safe: Safe,
}

fn main() {}
