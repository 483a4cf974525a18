use carthage::prelude::*;
use carthage_tests::Farm;

#[network(v4 = "10.37.0.0/24", pool = "10.37.0.0-10.37.0.25")]
struct Lab;

#[layout(implementation = Farm)]
struct Industrial {
    lab: Lab,
}

fn main() {}
