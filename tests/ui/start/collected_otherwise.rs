use carthage::prelude::*;

use carthage::machine::start::Prerequisite;

#[machine_model(start_dependencies = none)]
struct Web;

fn none(collected: Vec<Prerequisite>) -> Vec<Prerequisite> {
    collected
}

fn main() {}
