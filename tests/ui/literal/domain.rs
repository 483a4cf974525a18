use carthage::prelude::*;

#[enclave(domain = "algebra.")]
struct Algebra;

#[enclave(domain = "a..b")]
struct Between;

#[layout(implementation = Sandbox, domain = "Example.org")]
struct Industrial;

fn main() {}
