use carthage::prelude::*;

#[policy(destroy = retain)]
struct Mirror;

#[policy(destroy = retain)]
fn mirror() {}

fn main() {}
