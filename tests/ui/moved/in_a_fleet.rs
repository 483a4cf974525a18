use carthage::prelude::*;

#[machine_model]
#[moved_from("mirror")]
struct Web;

#[enclave]
struct Desk {
    web: Web,
}

#[layout(implementation = Sandbox)]
struct Site {
    #[member(list = ["a", "b"])]
    desks: Fleet<Desk>,
}

fn main() {}
