use carthage::prelude::*;

#[machine_model(hardware_tpm)]
struct Vault;

#[enclave]
struct Safe<T> {
    inside: T,
    #[cfg(all())]
    vault: Vault,
    #[cfg(any())]
    missing: Missing,
}

#[machine_model]
struct Web;

#[layout(implementation = Sandbox)]
struct Bank {
    safe: Safe<Web>,
}

fn main() {}
