use carthage::prelude::*;
use carthage_tests::Paper;

#[machine_model]
#[mount("/srv", at = "/srv")]
struct Server;

#[layout]
#[profile(paper, implementation = Paper)]
#[profile(small, implementation = Sandbox)]
#[profile(other, implementation = Sandbox)]
struct Site {
    #[member(only = [paper, small])]
    server: Option<Server>,
}

fn main() {}
