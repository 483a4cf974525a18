use carthage::prelude::*;

#[injectable]
struct Token(String);

#[layout(implementation = Sandbox)]
struct Lab {
    #[provide("a text".to_owned())]
    token: Arc<Token>,
}

fn main() {}
