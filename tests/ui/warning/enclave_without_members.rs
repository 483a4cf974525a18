use carthage::prelude::*;

#[injectable]
struct Token(String);

// A warning, wherever nothing else is said.
#[enclave]
struct Nothing;

#[enclave]
#[allow(deprecated)]
struct Quiet {}

#[enclave]
#[expect(deprecated, reason = "nothing is in it yet")]
struct Expected {}

// Denied like any other.
#[deny(deprecated)]
#[enclave(domain = "east")]
struct East {
    #[provide(Token("east".to_owned()))]
    token: Arc<Token>,
}

fn main() {}
