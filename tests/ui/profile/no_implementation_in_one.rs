use carthage::prelude::*;
use carthage_tests::Paper;

#[machine_model]
struct Server;

#[layout]
#[profile(paper, implementation = Paper)]
#[profile(real)]
struct Site {
    server: Server,
}

fn main() {}
