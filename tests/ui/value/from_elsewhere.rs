use carthage::prelude::*;

#[injectable]
struct Token(String);

#[injectable]
struct Other(String);

#[injectable]
struct Third(String);

#[enclave] #[allow(deprecated)]
struct Rack {
    #[provide(Token("t".to_owned()))]
    token: Arc<Token>,
}

#[layout(implementation = Sandbox)]
struct Lab {
    #[provide(from = rak)]
    misspelt: Arc<Token>,
    #[provide(from = rack)]
    without: Arc<Other>,
    #[provide(from = racks)]
    several: Arc<Third>,
    #[member(name = "rack")]
    rack: Rack,
    racks: [Rack; 2],
}

fn main() {}
