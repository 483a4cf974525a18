use carthage::prelude::*;

/// Answers queries.
#[role]
pub trait Database {
    fn port(&self) -> u16;
}

#[machine_model]
#[implements]
struct Postgres;

#[machine_model]
#[implements(Postgres)]
struct Mysql;

#[enclave]
#[implements(dyn Database)]
struct Group {
    mysql: Mysql,
}

#[role]
trait Of<T> {
    fn it(&self) -> T;
}

fn main() {}
