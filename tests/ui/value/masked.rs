use carthage::prelude::*;

#[injectable]
struct Token(String);

#[machine_model]
struct Worker {
    #[inject]
    token: Arc<Token>,
}

#[enclave]
#[mask(Token)]
struct Rack {
    worker: Worker,
}

#[layout(implementation = Sandbox)]
struct Lab {
    #[provide(Token("t".to_owned()))]
    token: Arc<Token>,
    rack: Rack,
}

fn main() {}
