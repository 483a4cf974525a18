use carthage::block::{File, Package};
use carthage::prelude::*;

struct Base;

#[customization(container)]
impl Base {
    #[setup_task]
    fn tools(&self) -> Blocks<Root> {
        Blocks::new().with(File::at("/etc/motd")).with(Package::named("curl"))
    }
}

fn main() {}
