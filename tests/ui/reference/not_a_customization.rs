use carthage::prelude::*;

#[derive(Default)]
struct Site;

#[machine_model]
struct Mirror {
    #[customize]
    site: Site,
}

#[layout(implementation = Sandbox)]
struct Industrial {
    mirror: Mirror,
}

fn main() {}
