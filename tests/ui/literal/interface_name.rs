use carthage::prelude::*;

#[network(v4 = "10.37.0.0/24", pool = "10.37.0.5-10.37.0.25")]
struct Lab;

#[machine_model]
struct Mirror {
    #[link(name = "uplink/0")]
    eth0: Link<Lab>,
    #[link]
    wire_to_the_whole_lab: Link<Lab>,
}

fn main() {}
