use carthage::prelude::*;

#[machine_model]
#[moved_from("mirror")]
struct Web;

#[machine_model]
struct Cache;

#[layout(implementation = Sandbox)]
struct Site {
    web: Web,
    #[moved_from("store", "mirror")]
    cache: Cache,
}

fn main() {}
