use carthage::prelude::*;

struct OnLan;

struct OnDmz;

#[machine_model]
struct Desk<N> {
    #[role]
    net: N,
}

#[enclave]
struct Office<N = OnLan> {
    desks: [Desk<N>; 3],
}

#[enclave]
struct Building {
    office: Office<OnDmz>,
}

#[layout(implementation = Sandbox)]
struct Company {
    office: Office,
    building: Building,
}

fn main() {}
