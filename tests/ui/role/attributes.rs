use carthage::prelude::*;

#[injectable]
struct Token(String);

#[machine_model]
struct Mirror;

#[role]
#[mask(Token)]
#[depends_on(Mirror)]
#[policy(destroy = retain)]
struct Web;

#[image(root = "/srv/roots/debian")]
#[ignore_dependency(Mirror)]
#[policy(destroy = retain)]
struct Debian;

fn main() {}
