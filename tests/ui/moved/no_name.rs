use carthage::prelude::*;

#[machine_model]
#[moved_from("old name")]
struct Web;

#[machine_model]
#[moved_from]
struct Cache;

#[machine_model]
#[moved_from(Mirror)]
struct Store;

#[machine_model]
#[moved_from("a", "a")]
struct Twice;

#[machine_model]
struct Plain;

#[layout(implementation = Sandbox)]
struct Site {
    web: Web,
    cache: Cache,
    store: Store,
    twice: Twice,
    #[moved_from("mirror..algebra")]
    plain: Plain,
}

fn main() {}
