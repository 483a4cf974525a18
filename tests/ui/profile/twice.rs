use carthage::prelude::*;

#[layout(implementation = Sandbox)]
#[profile(small)]
#[profile(small, implementation = Sandbox)]
struct Site {}

fn main() {}
