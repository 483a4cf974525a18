use carthage::prelude::*;

#[network(v4 = "10.37.0.0/24", vlan = 4095)]
struct Lab;

#[machine_model]
struct Mirror {
    #[link(vlans = [0, 5])]
    eth0: Link<Lab>,
}

fn main() {}
