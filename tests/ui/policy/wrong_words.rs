use carthage::prelude::*;

#[machine_model]
#[policy(destroy = retian)]
struct Mirror;

#[network]
#[policy(orphans = warn)]
struct Lab;

#[enclave]
#[policy(auto_deploy = maybe)]
struct Algebra;

#[machine_model]
#[policy]
struct Worker;

fn main() {}
