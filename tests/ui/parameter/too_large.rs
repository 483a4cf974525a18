use carthage::prelude::*;

#[network(v4 = "10.{K}.0.0/24", pool = "10.{K}.0.5-10.{K}.0.99")]
struct Lan<const K: u16>;

#[machine_model]
struct Desk<const K: u16> {
    #[link]
    eth0: Link<Lan<K>>,
}

#[layout(implementation = Sandbox)]
struct Site {
    lan: Lan<300>,
    desk: Desk<300>,
}

fn main() {}
