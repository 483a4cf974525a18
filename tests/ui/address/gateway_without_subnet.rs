use carthage::prelude::*;
use carthage_tests::Farm;

#[network(gateway = "10.37.0.1")]
struct Lab;

#[layout(implementation = Farm)]
struct Industrial {
    lab: Lab,
}

fn main() {}
