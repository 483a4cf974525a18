use carthage::prelude::*;

#[derive(Default)]
struct Site;

#[machine_model]
struct Mirror {
    #[customize]
    site: Site,
}

fn main() {}
