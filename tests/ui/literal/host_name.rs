use carthage::prelude::*;

#[machine_model(name = "web_server")]
struct Web;

#[machine_model(name = "web.example.org")]
struct Dotted;

#[machine_model]
struct Größe;

#[enclave(domain = "algebra..org")]
struct Algebra {
    #[member(name = "-first")]
    web: Web,
}

fn main() {}
