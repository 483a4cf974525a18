use carthage::prelude::*;
use carthage_tests::Farm;

#[network(v4 = "10.37.0.0/24", gateway = link!(Router.insid))]
struct Lab;

#[network(v4 = "10.38.0.0/24", gateway = link!(Mirror.eth0))]
struct Hall;

#[network(v4 = "10.39.0.0/24", gateway = Router)]
struct World;

#[network(v4 = "10.40.0.0/24", gateway = link!(Router))]
struct Desks;

#[machine_model]
struct Router {
    #[link(address = "10.37.0.1")]
    inside: Link<Lab>,
}

#[machine_model]
struct Mirror;

#[layout(implementation = Farm)]
struct Industrial {
    lab: Lab,
    router: Router,
}

fn main() {}
