use carthage::prelude::*;

#[machine_model(name = "a-name-that-is-as-long-as-names-of-hosts-can-be-at-the-very-most")]
struct Mirror;

fn main() {}
