use carthage::prelude::*;

#[network(abstract)]
struct Uplink;

#[machine_model]
struct Router;

#[layout(implementation = Sandbox)]
struct Site {
    #[member(is = Uplink)]
    router: Router,
}

fn main() {}
