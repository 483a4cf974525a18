use carthage::prelude::*;

#[constraint]
struct Site(&'static str);

#[injectable]
struct Token(String);

#[machine_model]
struct Worker {
    #[inject(Site = "red")]
    token: Arc<Token>,
}

#[enclave]
struct Rack {
    #[provide(Token("plain".to_owned()))]
    plain: Arc<Token>,
    worker: Worker,
}

#[layout(implementation = Sandbox)]
struct Lab {
    #[provide(Site = "blue", Token("blue".to_owned()))]
    blue: Arc<Token>,
    rack: Rack,
}

fn main() {}
