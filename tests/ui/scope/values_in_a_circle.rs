use carthage::prelude::*;

#[injectable]
struct Chicken(String);

#[injectable]
struct Egg(String);

#[injectable]
impl Egg {
    async fn new(#[inject] chicken: &Chicken) -> Result<Self> {
        Ok(Self(chicken.0.clone()))
    }
}

#[layout(implementation = Sandbox)]
struct Farm {
    #[provide(Chicken(egg.0.clone()))]
    chicken: Arc<Chicken>,
    #[provide]
    egg: Arc<Egg>,
}

fn main() {}
