use carthage::prelude::*;
use carthage_tests::Farm;

#[network(v4 = "10.37.0.0/24", dhcp = "10.37.0.100-10.37.0.199")]
struct Lab;

#[machine_model]
struct Mirror {
    #[link(address = "10.37.0.150")]
    eth0: Link<Lab>,
}

#[layout(implementation = Farm)]
struct Industrial {
    lab: Lab,
    mirror: Mirror,
}

fn main() {}
