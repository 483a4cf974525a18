use carthage::prelude::*;

#[machine_model(memory = 256)]
struct Mirror;

fn main() {}
