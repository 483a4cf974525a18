use carthage::prelude::*;

#[network(v4 = "10.37.0.0/24", pool = "10.37.0.5-10.37.0.25")]
struct Lab;

#[machine_model]
struct Mirror {
    #[link]
    eth0: Link<Lab>,
}

#[enclave(domain = "algebra")]
struct Algebra {
    mirror: Mirror,
}

#[enclave]
struct Geometry {
    lab: Lab,
}

#[layout(implementation = Sandbox)]
struct Industrial {
    algebra: Algebra,
}

fn main() {}
