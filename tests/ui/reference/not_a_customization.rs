use carthage::prelude::*;

#[derive(Default)]
struct Site;

struct Page;

#[machine_model]
struct Mirror {
    #[customize]
    site: Site,
    #[customize]
    page: Page,
}

#[layout(implementation = Sandbox)]
struct Industrial {
    mirror: Mirror,
}

fn main() {}
