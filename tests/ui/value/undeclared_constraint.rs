use carthage::prelude::*;

#[constraint]
struct Site(&'static str);

#[injectable]
struct Token(String);

#[machine_model]
struct Worker {
    #[inject(Sight = "red")]
    token: Arc<Token>,
}

#[layout(implementation = Sandbox)]
struct Lab {
    #[provide(Site = "red", Token("t".to_owned()))]
    token: Arc<Token>,
    worker: Worker,
}

fn main() {}
