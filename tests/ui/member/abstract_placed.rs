use carthage::prelude::*;

#[network(abstract)]
struct Uplink;

#[machine_model]
struct Router {
    #[link]
    wan: Link<Uplink>,
}

#[layout(implementation = Sandbox)]
struct Site {
    uplink: Uplink,
    router: Router,
}

fn main() {}
