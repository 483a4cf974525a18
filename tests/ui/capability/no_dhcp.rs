use carthage::prelude::*;

#[network(v4 = "10.37.0.0/24", dhcp = "10.37.0.100-10.37.0.199")]
struct Lab;

#[layout(implementation = Sandbox)]
struct Industrial {
    lab: Lab,
}

fn main() {}
