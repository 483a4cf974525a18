use carthage::prelude::*;

#[machine_model]
struct Mirror;

#[machine_model]
#[moved_from("mirror")]
struct Web;

#[machine_model]
struct Cache;

#[enclave(domain = "algebra")]
struct Algebra {
    mirror: Mirror,
}

#[layout(implementation = Sandbox)]
struct Site {
    mirror: Mirror,
    web: Web,
    algebra: Algebra,
    #[moved_from("mirror.algebra")]
    cache: Cache,
}

fn main() {}
