use carthage::prelude::*;

#[machine_model(tpm)]
struct Vault;

fn main() {}
