use carthage::prelude::*;

#[image(name = "web")]
struct Web;

fn main() {}
