use carthage::prelude::*;

#[network(v4 = "10.37.0.0/24", pool = "10.37.0.5-10.37.0.25")]
struct Lab;

#[derive(Default)]
struct Site;

#[customization]
impl Site {}

#[enclave]
struct Algebra {
    #[link]
    eth0: Link<Lab>,
    #[customize]
    site: Site,
    others: Vec<Lab>,
}

#[machine_model]
struct Mirror {
    #[member]
    lab: Lab,
    #[link]
    #[inject]
    eth0: Link<Lab>,
    #[cfg_attr(all(), link)]
    eth1: Link<Lab>,
}

fn main() {}
