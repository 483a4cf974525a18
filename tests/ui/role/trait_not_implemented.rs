use carthage::prelude::*;

/// Answers queries.
#[role]
pub trait Database {
    fn port(&self) -> u16;
}

#[machine_model]
#[implements(dyn Database)]
struct Postgres;

#[layout(implementation = Sandbox)]
struct Site {
    postgres: Postgres,
}

fn main() {}
