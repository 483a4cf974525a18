use carthage::prelude::*;

#[machine_model]
enum Mirror {
    One,
}

#[enclave]
struct Algebra(u8);

#[network]
struct Lab {
    v4: String,
}

#[customization]
struct Site;

fn main() {}
