use carthage::prelude::*;
use carthage_tests::Farm;

#[network(v4 = "10.37.0.0/24", gateway = "10.38.0.1")]
struct Lab;

#[layout(implementation = Farm)]
struct Industrial {
    lab: Lab,
}

fn main() {}
