use carthage::prelude::*;

#[machine_model]
struct Mirror;

#[machine_model(override_dependency = true)]
#[depends_on(Mirror, nam = mirror)]
#[ignore_dependency(Mirror, command = ["true"])]
#[depends_on(wiht = Mirror)]
#[ignore_dependency]
struct Worker;

#[machine_model(override_dependencies = "all")]
struct Other;

#[layout(implementation = Sandbox)]
#[ignore_dependency(Mirror)]
struct Site {
    mirror: Mirror,
}

#[network(v4 = "10.1.0.0/24")]
#[depends_on(Mirror)]
struct Lan;

#[ignore_dependency(Mirror)]
struct Nothing;

fn main() {}
