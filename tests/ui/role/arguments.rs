use carthage::prelude::*;

#[role(name = "web")]
struct Web {
    #[role(port = 80)]
    base: Base,
}

#[role]
struct Base;

fn main() {}
