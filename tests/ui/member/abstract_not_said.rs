use carthage::prelude::*;

/// What leads to the others.
#[network(abstract)]
struct Uplink;

#[network(v4 = "10.0.0.0/24", pool = "10.0.0.5-10.0.0.99")]
struct Backbone;

#[machine_model]
struct Router {
    #[link]
    wan: Link<Uplink>,
}

#[enclave]
struct Branch {
    router: Router,
}

#[layout(implementation = Sandbox)]
struct Site {
    backbone: Backbone,
    branch: Branch,
}

fn main() {}
