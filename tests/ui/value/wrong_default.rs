use carthage::prelude::*;

#[injectable]
struct Port(u16);

#[machine_model]
struct Web {
    #[inject(default = Port("80"))]
    port: Arc<Port>,
    #[inject(default = 80)]
    number: Arc<Port>,
}

fn main() {}
