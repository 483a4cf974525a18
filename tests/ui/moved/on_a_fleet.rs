use carthage::prelude::*;

#[machine_model]
struct Web;

#[layout(implementation = Sandbox)]
struct Site {
    #[member(list = ["a", "b"])]
    #[moved_from("mirror")]
    webs: Fleet<Web>,
}

fn main() {}
