use carthage::prelude::*;
use carthage_tests::Farm;

#[machine_model(implementation = Farm, disk_sizes = [10])]
struct Server;

#[layout(implementation = Farm)]
#[profile(paper)]
#[profile(real, Server = carthage::Local)]
struct Site {
    server: Server,
}

fn main() {}
