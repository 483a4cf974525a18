use carthage::prelude::*;

#[layout]
#[profile(implementation = Sandbox)]
struct Site {}

fn main() {}
