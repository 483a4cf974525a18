use carthage::prelude::*;

#[network(v4 = "10.37.0.0/24", pool = "10.37.0.5-10.37.0.25")]
struct Lab;

struct Site {
    from: Option<std::net::IpAddr>,
}

#[customization]
impl Site {}

#[machine_model]
struct Mirror {
    #[link]
    eth0: Link<Lab>,
    #[customize(Site { from: self.eth0.address() })]
    site: Site,
}

fn main() {}
