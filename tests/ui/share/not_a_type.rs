use carthage::prelude::*;

#[network(v4 = "10.37.0.0/24", pool = "10.37.0.5-10.37.0.25")]
struct Lab;

#[machine_model]
struct Router {
    #[link]
    eth0: Link<Lab>,
}

#[machine_model(shares_links = "router")]
struct Watcher;

#[machine_model(share_links = Router)]
struct Other;

#[layout(implementation = Sandbox)]
struct Site {
    lab: Lab,
    router: Router,
    watcher: Watcher,
    other: Other,
}

fn main() {}
