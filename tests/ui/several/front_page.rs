use carthage::prelude::*;

#[injectable]
pub struct JoinToken(String);

#[network(v4 = "10.37.0.0/24", pool = "10.37.0.5-10.37.0.6")]
pub struct Lab;

#[machine_model]
pub struct Mirror;

#[machine_model]
#[depends_on(Mirror)]
pub struct Worker {
    #[link]
    eth0: Link<Lab>,
    #[inject]
    token: Arc<JoinToken>,
}

#[layout(implementation = Sandbox)]
pub struct Industrial {
    lab: Lab,
    workers: [Worker; 3],
}

fn main() {}
