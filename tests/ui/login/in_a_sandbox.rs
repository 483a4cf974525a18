use carthage::prelude::*;

#[machine_model(ssh_login_user = "admin", ssh_port = 2222)]
struct Mirror;

#[layout(implementation = Sandbox)]
struct Industrial {
    mirror: Mirror,
}

fn main() {}
