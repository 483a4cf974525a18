use carthage::prelude::*;

#[network(v4 = "10.37.0.0/24", pool = "10.37.0.5-10.37.0.25")]
struct Lab;

#[machine_model]
#[depends_on(Watcher)]
struct Router {
    #[link]
    eth0: Link<Lab>,
}

#[machine_model(shares_links = Router)]
struct Watcher;

#[layout(implementation = Sandbox)]
struct Site {
    lab: Lab,
    router: Router,
    watcher: Watcher,
}

fn main() {}
