use carthage::prelude::*;

#[machine_model]
struct Mirror;

#[machine_model]
#[depends_on(Mirror)]
struct Worker;

#[machine_model]
#[depends_on(Mirror, name = mirror_c)]
struct Other;

#[layout(implementation = Sandbox)]
struct Industrial {
    #[member(name = "mirror-a")]
    mirror_a: Mirror,
    #[member(name = "mirror-b")]
    mirror_b: Mirror,
    worker: Worker,
    other: Other,
}

fn main() {}
