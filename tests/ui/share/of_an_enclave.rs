use carthage::prelude::*;

#[network(v4 = "10.37.0.0/24", pool = "10.37.0.5-10.37.0.25")]
struct Lab;

#[machine_model]
struct Router {
    #[link]
    eth0: Link<Lab>,
}

#[enclave]
struct Edge {
    router: Router,
}

#[machine_model(shares_links = Edge)]
struct Watcher;

#[layout(implementation = Sandbox)]
struct Site {
    lab: Lab,
    edge: Edge,
    watcher: Watcher,
}

fn main() {}
