use carthage::prelude::*;
use carthage_tests::Paper;

#[network(v4 = "10.0.0.0/24", pool = "10.0.0.5-10.0.0.9")]
struct Lan;

#[machine_model(implementation = Paper)]
struct Server {
    #[link]
    eth0: Link<Lan>,
}

#[layout(implementation = Paper)]
#[profile(paper)]
#[profile(real, Server = carthage::Local)]
struct Site {
    lan: Lan,
    server: Server,
}

fn main() {}
