use carthage::prelude::*;
use carthage_tests::Farm;

#[network(v4 = "10.37.0.0/24", dhcp = "10.37.0.100-10.37.1.20")]
struct Lab;

#[layout(implementation = Farm)]
struct Industrial {
    lab: Lab,
}

fn main() {}
