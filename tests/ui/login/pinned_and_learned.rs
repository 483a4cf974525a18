use carthage::prelude::*;

#[machine_model(
    ip_address = "192.0.2.7",
    ssh_host_key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJPZmSTWxRVGJqIoYNxLVgNxKCzX0UZ7Yv4e0sFhVgXz",
    ssh_learn_host_key
)]
struct Storage;

#[layout(implementation = carthage::BareMetal)]
struct Cellar {
    storage: Storage,
}

fn main() {}
