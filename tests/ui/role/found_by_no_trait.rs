use carthage::prelude::*;

/// Answers queries.
#[role]
pub trait Database {
    fn port(&self) -> u16;
}

#[machine_model]
struct App {
    #[inject]
    database: Placed<dyn Database>,
}

#[machine_model]
struct Postgres;

impl Database for Postgres {
    fn port(&self) -> u16 {
        5432
    }
}

#[layout(implementation = Sandbox)]
struct Site {
    postgres: Postgres,
    app: App,
}

fn main() {}
