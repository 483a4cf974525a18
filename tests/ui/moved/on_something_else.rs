use carthage::prelude::*;

#[network]
struct Lab;

#[machine_model]
struct Web {
    #[link]
    #[moved_from("eth1")]
    eth0: Link<Lab>,
}

#[enclave]
#[moved_from("geometry")]
struct Algebra {
    web: Web,
}

#[layout(implementation = Sandbox)]
struct Site {
    lab: Lab,
    algebra: Algebra,
}

fn main() {}
