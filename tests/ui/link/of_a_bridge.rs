use carthage::backend::Local;
use carthage::prelude::*;
use carthage_tests::Farm;

#[network(bridge = link!(Workstation.br0))]
struct Lab;

#[network(bridge = link!(Workstation.br0))]
struct Hall;

#[network(bridge = link!(Router.eth0))]
struct World;

#[network(bridge = link!(Modem.eth0))]
struct Line;

#[machine_model(implementation = Local)]
struct Workstation {
    #[link]
    br0: Link<Lab>,
}

#[machine_model]
struct Router {
    #[link]
    eth0: Link<World>,
}

#[machine_model]
struct Modem {
    #[link]
    eth0: Link<Line>,
}

#[layout(implementation = Farm)]
struct Industrial {
    lab: Lab,
    hall: Hall,
    world: World,
    line: Line,
    workstation: Workstation,
    router: Router,
}

fn main() {}
