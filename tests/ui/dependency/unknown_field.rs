use carthage::prelude::*;

#[machine_model]
struct Mirror;

#[machine_model]
#[depends_on(Mirror, name = miror_b)]
struct Worker;

#[layout(implementation = Sandbox)]
struct Industrial {
    #[member(name = "a")]
    mirror_a: Mirror,
    #[member(name = "b")]
    mirror_b: Mirror,
    worker: Worker,
}

fn main() {}
