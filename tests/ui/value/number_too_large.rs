use carthage::prelude::*;

#[constraint]
struct Hall(u8);

#[injectable]
struct Token(String);

#[layout(implementation = Sandbox)]
struct Lab {
    #[provide(Hall = 300, Token(String::new()))]
    token: Arc<Token>,
}

fn main() {}
