use carthage::prelude::*;

#[machine_model(tpm)]
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
