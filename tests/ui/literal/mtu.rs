use carthage::prelude::*;

#[network(v4 = "10.37.0.0/24", pool = "10.37.0.5-10.37.0.25", mtu = 20)]
struct Lab;

#[machine_model]
struct Mirror {
    #[link(mtu = 70_000)]
    eth0: Link<Lab>,
}

fn main() {}
