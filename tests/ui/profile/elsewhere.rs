use carthage::prelude::*;

#[profile(small)]
struct Site {}

fn main() {}
