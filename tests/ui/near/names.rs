use carthage::prelude::*;

#[network(v4 = "10.37.0.0/24", pool = "10.37.0.5-10.37.0.25")]
struct Lab;

#[network(v4 = "10.38.0.0/24", pool = "10.38.0.5-10.38.0.25")]
struct Labs;

mod old {
    use super::*;

    #[network(v4 = "10.39.0.0/24", pool = "10.39.0.5-10.39.0.25")]
    pub struct Campus;
}

#[network(v4 = "10.40.0.0/24", pool = "10.40.0.5-10.40.0.25")]
struct Campus;

#[injectable]
struct JoinToken(String);

#[injectable]
struct JoinTokens(String);

#[machine_model]
struct Mirror {
    #[link]
    eth0: Link<Lab>,
    #[link]
    eth1: Link<Campus>,
    #[inject]
    token: Arc<JoinTokens>,
}

#[machine_model]
struct Mirrors;

#[injectable]
struct Other(String);

#[machine_model]
#[depends_on(Mirrors)]
struct Worker;

#[enclave]
struct Rack {
    worker: Worker,
}

#[layout(implementation = Sandbox)]
#[profile(small)]
#[profile(full)]
struct Industrial {
    #[provide(JoinToken(String::new()))]
    token: Arc<JoinToken>,
    labs: Labs,
    campus: old::Campus,
    mirror: Mirror,
    worker: Worker,
    #[member(only = ful)]
    extra: Option<Worker>,
    rack: Rack,
    #[provide(from = rak)]
    other: Arc<Other>,
}

fn main() {}
