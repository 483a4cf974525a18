use carthage::prelude::*;

#[machine_model(memory_mb = 256, ip_address = "192.0.2.7")]
struct Mirror;

#[layout(implementation = carthage::BareMetal)]
struct Industrial {
    mirror: Mirror,
}

fn main() {}
