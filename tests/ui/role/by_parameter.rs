use carthage::prelude::*;

#[network(v4 = "10.1.0.0/24", pool = "10.1.0.10-10.1.0.99")]
struct Lan;

#[network(v4 = "10.2.0.0/24", pool = "10.2.0.10-10.2.0.99")]
struct Dmz;

#[role]
struct OnLan {
    #[link]
    eth0: Link<Lan>,
}

#[role]
struct OnDmz {
    #[link]
    eth1: Link<Dmz>,
}

#[machine_model]
struct Desk<N> {
    #[role]
    net: N,
}

#[enclave]
struct Office<N = OnLan> {
    desks: [Desk<N>; 3],
}

/// Hands on what is not held, and what is no role.
#[layout(implementation = Sandbox)]
struct Company {
    lan: Lan,
    #[member(domain = "a")]
    a: Office,
    #[member(domain = "b")]
    b: Office<OnDmz>,
    #[member(domain = "c")]
    c: Office<Lan>,
}

fn main() {}
