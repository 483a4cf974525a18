use carthage::prelude::*;

#[layout(implementation = Sandbox)]
struct Industrial<T> {
    mirror: T,
}

fn main() {}
