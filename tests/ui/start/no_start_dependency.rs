use carthage::prelude::*;

#[injectable]
struct License;

#[machine_model]
struct Mirror;

#[machine_model]
#[depends_on(with = License)]
struct Web;

#[machine_model]
#[depends_on(with = Mirror)]
struct Other;

fn main() {}
