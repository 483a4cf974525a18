use carthage::prelude::*;

#[network(v4 = "10.37.0.0/24", pool = "10.37.0.5-10.37.0.25")]
struct Lab;

#[machine_model]
struct Router {
    #[link]
    eth0: Link<Lab>,
}

#[machine_model(shares_links = Router)]
struct Watcher;

#[machine_model]
struct Routter {
    #[link]
    eth0: Link<Lab>,
}

#[layout(implementation = Sandbox)]
struct Site {
    lab: Lab,
    routter: Routter,
    watcher: Watcher,
}

fn main() {}
