use carthage::prelude::*;

#[machine_model(ip_address = "192.0.2.7", ssh_online_retries = 10)]
struct Mirror;

#[layout(implementation = carthage::BareMetal)]
struct Industrial {
    mirror: Mirror,
}

fn main() {}
