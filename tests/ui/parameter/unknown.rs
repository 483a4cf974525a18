use carthage::prelude::*;

#[network(v4 = "10.{J}.0.0/24")]
struct Lan<const K: u8>;

fn main() {}
