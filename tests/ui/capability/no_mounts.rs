use carthage::prelude::*;

#[machine_model]
#[mount("/srv/data", at = "/data")]
struct Mirror;

#[layout(implementation = Sandbox)]
struct Industrial {
    mirror: Mirror,
}

fn main() {}
