use carthage::prelude::*;

#[network(v4 = "10.0.0.0/24", pool = "10.0.0.5-10.0.0.99")]
struct Lan;

#[machine_model]
struct Desk {
    #[link(address = "10.0.0.2")]
    eth0: Link<Lan>,
}

#[layout(implementation = Sandbox)]
struct Site {
    lan: Lan,
    #[member(list = ["ann", "bob"])]
    trainees: Fleet<Desk>,
}

fn main() {}
