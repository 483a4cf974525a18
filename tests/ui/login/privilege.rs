use carthage::prelude::*;

#[machine_model(ip_address = "192.0.2.7", ssh_login_user = "admin", runas_user = "www-data", privilege = "sudo")]
struct Mirror;

#[layout(implementation = carthage::BareMetal)]
struct Industrial {
    mirror: Mirror,
}

fn main() {}
