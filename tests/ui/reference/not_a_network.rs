use carthage::prelude::*;

#[machine_model]
struct Mirror;

#[machine_model]
struct Worker {
    #[link]
    eth0: Link<Mirror>,
}

fn main() {}
