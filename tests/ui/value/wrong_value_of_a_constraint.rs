use carthage::prelude::*;

#[constraint]
struct Site(&'static str);

#[constraint]
enum Part {
    Primary,
    Replica,
}

#[injectable]
struct Token(String);

#[layout(implementation = Sandbox)]
struct Lab {
    #[provide(Site = 7, Token("number".to_owned()))]
    number: Arc<Token>,
    #[provide(Part = Part::Primry, Token("misspelt".to_owned()))]
    misspelt: Arc<Token>,
    #[provide(Part = "Primary", Token("no text".to_owned()))]
    no_text: Arc<Token>,
    #[provide(Part = Part::Replica, Token("right".to_owned()))]
    right: Arc<Token>,
}

fn main() {}
