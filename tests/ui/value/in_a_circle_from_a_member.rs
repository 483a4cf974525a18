use carthage::prelude::*;

#[injectable]
struct Token(String);

#[injectable]
struct Seed(String);

#[injectable]
impl Seed {
    async fn new(#[inject] token: &Token) -> Result<Self> {
        Ok(Self(token.0.clone()))
    }
}

#[enclave]
struct Vault {
    #[inject]
    seed: Arc<Seed>,
    #[provide(Token(seed.0.clone()))]
    token: Arc<Token>,
    #[member(name = "guard")]
    guard: Guard,
}

#[machine_model]
struct Guard;

#[enclave]
struct Rack {
    vault: Vault,
}

#[layout(implementation = Sandbox)]
struct Lab {
    #[provide]
    seed: Arc<Seed>,
    #[provide(from = rack.vault)]
    token: Arc<Token>,
    rack: Rack,
}

fn main() {}
