use carthage::prelude::*;
use carthage_tests::Farm;

#[machine_model(disk_sizes = [10])]
struct Server;

#[layout(implementation = Farm)]
#[profile(mixed, Server = carthage::Local)]
struct Site {
    server: Server,
}

fn main() {}
