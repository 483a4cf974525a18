use carthage::prelude::*;

#[network(v4 = "10.37.0.0/24", pool = "10.37.0.5-10.37.0.25")]
struct Lab;

#[machine_model]
struct Router {
    #[link]
    eth0: Link<Lab>,
}

#[machine_model(shares_links = Watcher)]
struct Watcher;

#[layout(implementation = Sandbox)]
struct Site {
    lab: Lab,
    watcher: Watcher,
    router: Router,
}

fn main() {}
