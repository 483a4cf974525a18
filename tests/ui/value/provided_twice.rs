use carthage::prelude::*;

#[constraint]
struct Site(&'static str);

#[constraint]
struct Hall(u8);

#[injectable]
struct Token(String);

#[layout(implementation = Sandbox)]
struct Lab {
    #[provide(Site = "red", Hall = 2, Token("one".to_owned()))]
    one: Arc<Token>,
    #[provide(Hall = 2, Site = "red", Token("two".to_owned()))]
    two: Arc<Token>,
    #[provide(Hall = 3, Site = "red", Token("three".to_owned()))]
    three: Arc<Token>,
}

fn main() {}
