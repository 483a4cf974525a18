use carthage::prelude::*;

#[injectable]
struct Token(String);

#[injectable]
struct Time(std::time::Instant);

#[enclave]
struct Algebra {
    #[provide]
    token: Arc<Token>,
    #[provide(persist, Time(std::time::Instant::now()))]
    time: Arc<Time>,
    #[provide("token")]
    wrong: Arc<Token>,
    #[provide(persit, Token(String::new()))]
    misspelt: Arc<Token>,
    #[provide(Token(String::new()))]
    bare: Token,
}

fn main() {}
