use carthage::prelude::*;

#[network(v4 = "10.37.0.0/24", pool = "10.37.0.25-10.37.0.5")]
struct Lab;

#[network(v4 = "10.38.0.0/24", pool = "10.38.0.0/25")]
struct Range;

fn main() {}
