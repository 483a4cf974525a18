use carthage::prelude::*;

pub trait Database {}

#[machine_model]
#[implements(dyn Database)]
struct Postgres;

impl Database for Postgres {}

#[layout(implementation = Sandbox)]
struct Site {
    postgres: Postgres,
}

fn main() {}
