use carthage::prelude::*;

#[injectable]
struct License;

#[machine_model]
struct Mirror;

#[machine_model]
#[depends_on(Mirror)]
#[ignore_dependency(Mirror)]
struct Own;

#[machine_model(override_dependencies = true)]
#[ignore_dependency(Mirror)]
struct Cut;

#[machine_model]
#[ignore_dependency(Mirror)]
struct Inside;

#[enclave]
#[ignore_dependency(Mirror)]
#[ignore_dependency(with = License)]
struct Quiet {
    inside: Inside,
}

#[layout(implementation = Sandbox)]
#[depends_on(Mirror)]
struct Site {
    mirror: Mirror,
    cut: Cut,
    quiet: Quiet,
}

#[layout(implementation = Sandbox)]
struct Other {
    mirror: Mirror,
    own: Own,
}

fn main() {}
