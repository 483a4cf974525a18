use carthage::prelude::*;

#[layout]
#[profile(small, implmentation = Sandbox)]
struct Site {}

fn main() {}
