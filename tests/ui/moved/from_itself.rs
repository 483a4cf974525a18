use carthage::prelude::*;

#[machine_model]
struct Web;

#[enclave(domain = "algebra")]
struct Algebra {
    #[moved_from("web")]
    web: Web,
}

#[layout(implementation = Sandbox)]
struct Site {
    algebra: Algebra,
}

fn main() {}
