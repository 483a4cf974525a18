use carthage::prelude::*;
use carthage_tests::Paper;

#[machine_model]
#[mount("/srv", at = "/srv")]
struct Server;

#[layout]
#[profile(paper, implementation = Paper)]
#[profile(small, implementation = Sandbox)]
struct Site {
    server: Server,
}

fn main() {}
