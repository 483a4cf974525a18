use carthage::prelude::*;
use carthage_tests::Paper;

#[network]
struct Lan;

#[machine_model]
struct Server {
    #[link]
    eth0: Link<Lan>,
}

#[layout(implementation = Paper)]
#[profile(mixed, Server = carthage::Local)]
struct Site {
    lan: Lan,
    server: Server,
}

fn main() {}
