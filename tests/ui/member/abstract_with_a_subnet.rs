use carthage::prelude::*;

#[network(abstract, v4 = "10.0.0.0/24")]
struct Uplink;

fn main() {}
