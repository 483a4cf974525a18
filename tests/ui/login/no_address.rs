use carthage::prelude::*;

#[machine_model(ssh_learn_host_key)]
struct Storage;

#[layout(implementation = carthage::BareMetal)]
struct Cellar {
    storage: Storage,
}

fn main() {}
