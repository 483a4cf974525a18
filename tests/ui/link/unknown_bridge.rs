use carthage::backend::Local;
use carthage::prelude::*;

#[network(bridge = link!(Workstation.br1))]
struct Lab;

#[network(bridge = Workstation)]
struct Hall;

#[network(bridge = "bridge-of-the-lab")]
struct World;

#[machine_model(implementation = Local)]
struct Workstation {
    #[link]
    br0: Link<Lab>,
}

fn main() {}
