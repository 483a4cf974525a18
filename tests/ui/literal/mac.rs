use carthage::prelude::*;

#[network(v4 = "10.37.0.0/24", pool = "10.37.0.5-10.37.0.25")]
struct Lab;

#[machine_model]
struct Mirror {
    #[link(address = "10.37.0.2", mac = "52:54:00:12:34")]
    eth0: Link<Lab>,
    #[link(address = "10.37.0.3", mac = "01:00:5e:00:00:01")]
    eth1: Link<Lab>,
}

fn main() {}
