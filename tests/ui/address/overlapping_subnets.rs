use carthage::prelude::*;

#[network(v4 = "10.37.0.0/16")]
struct Campus;

#[network(v4 = "10.99.0.0/24")]
struct Storage;

#[network(v4 = "10.37.5.0/24")]
struct Lab;

#[machine_model]
struct Router {
    #[link(address = "10.37.5.1")]
    inside: Link<Lab>,
    #[link(address = "10.99.0.1")]
    storage: Link<Storage>,
    #[link(address = "10.37.0.1")]
    outside: Link<Campus>,
}

#[layout(implementation = Sandbox)]
struct Industrial {
    campus: Campus,
    storage: Storage,
    lab: Lab,
    router: Router,
}

fn main() {}
