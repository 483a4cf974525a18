use carthage::prelude::*;
use carthage_tests::Farm;

#[network(v4 = "10.37.0.0/24", gateway = link!(Router.inside))]
struct Lab;

#[network(v4 = "10.38.0.0/24", gateway = link!(Router.inside))]
struct Hall;

#[network(v4 = "10.39.0.0/24", pool = "10.39.0.5-10.39.0.9", gateway = link!(Router.outside))]
struct World;

#[network(v4 = "10.40.0.0/24", gateway = link!(Desk.eth0))]
struct Desks;

#[network(v4 = "10.41.0.0/24", gateway = link!(Modem.eth0))]
struct Line;

#[machine_model]
struct Router {
    #[link(address = "10.37.1.1")]
    inside: Link<Lab>,
    #[link]
    outside: Link<World>,
}

#[machine_model]
struct Desk {
    #[link(address = "10.40.0.1-10.40.0.2")]
    eth0: Link<Desks>,
}

#[machine_model]
struct Modem {
    #[link(address = "10.41.0.1")]
    eth0: Link<Line>,
}

#[layout(implementation = Farm)]
struct Industrial {
    lab: Lab,
    hall: Hall,
    world: World,
    desks_net: Desks,
    line: Line,
    router: Router,
    desks: [Desk; 2],
}

fn main() {}
