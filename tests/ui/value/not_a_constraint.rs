use carthage::prelude::*;

struct Site(&'static str);

#[injectable]
struct Token(String);

#[layout(implementation = Sandbox)]
struct Lab {
    #[provide(Site = "red", Token("t".to_owned()))]
    token: Arc<Token>,
}

fn main() {}
