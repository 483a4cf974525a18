use carthage::prelude::*;

#[machine_model]
struct Database;

#[machine_model]
struct Web;

#[enclave]
#[depends_on(Web)]
struct Back {
    database: Database,
}

#[enclave]
#[depends_on(Back)]
struct Front {
    web: [Web; 2],
}

#[layout(implementation = Sandbox)]
struct Site {
    back: Back,
    front: Front,
}

fn main() {}
