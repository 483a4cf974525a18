use carthage::prelude::*;

#[machine_model]
struct Web;

#[enclave(domain = "algebra")]
struct Algebra {
    web: Web,
}

#[layout(implementation = Sandbox)]
struct Site {
    #[moved_from("geometry")]
    algebra: Algebra,
}

fn main() {}
