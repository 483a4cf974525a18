use carthage::prelude::*;

#[enclave(resolvable)]
struct Zone;

#[machine_model(resolveable)]
struct Web;

impl ResolvableModel for Web {
    async fn resolve_model(_: &Placed<Self>) -> Result<()> {
        Ok(())
    }
}

#[layout(implementation = Sandbox)]
struct Site {
    zone: Zone,
    web: Web,
}

fn main() {}
