use carthage::prelude::*;

#[network(v4 = "10.37.0.0/24", pool = "10.37.0.5-10.37.0.25")]
struct Lab;

#[machine_model]
struct Mirror {
    eth0: Link<Lab>,
    token: Arc<Token>,
    site: Site,
}

#[injectable]
struct Token;

#[derive(Default)]
struct Site;

#[customization]
impl Site {}

fn main() {}
