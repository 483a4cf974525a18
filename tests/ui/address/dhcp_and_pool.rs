use carthage::prelude::*;
use carthage_tests::Farm;

#[network(v4 = "10.37.0.0/24", pool = "10.37.0.5-10.37.0.120", dhcp = "10.37.0.100-10.37.0.199")]
struct Lab;

#[layout(implementation = Farm)]
struct Industrial {
    lab: Lab,
}

fn main() {}
