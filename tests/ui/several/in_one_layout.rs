use carthage::prelude::*;

#[network(v4 = "10.37.0.0/24", pool = "10.37.0.5-10.37.0.6")]
struct Lab;

#[network(v4 = "10.38.0.0/24")]
struct Storage;

#[injectable]
struct JoinToken(String);

#[machine_model(memory = 256)]
struct Mirror {
    #[link(address = "10.37.1.2")]
    eth0: Link<Lab>,
    #[link]
    eth1: Link<Storage>,
}

#[machine_model(hardware_tpm)]
#[depends_on(Scheduler)]
struct Worker {
    #[link]
    eth0: Link<Lab>,
    #[inject]
    token: Arc<JoinToken>,
}

#[machine_model]
struct Scheduler;

#[enclave(domain = "algebra")]
struct Algebra {
    lab: Lab,
    mirror: Mirror,
    workers: [Worker; 3],
}

#[layout(name = "industrial", implementation = Sandbox)]
struct Industrial {
    algebra: Algebra,
}

fn main() {}
