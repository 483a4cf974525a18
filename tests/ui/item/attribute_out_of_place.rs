use carthage::prelude::*;

#[depends_on(Mirror)]
struct Nothing;

#[machine_model]
struct Mirror;

#[enclave]
#[depends_on(Mirror)]
struct Algebra {
    mirror: Mirror,
}

struct Site;

impl Site {
    #[setup_task(after = other)]
    async fn index(&self, host: &Host, #[inject] token: &str) -> Result<()> {
        host.write("/index", token).await
    }
}

fn main() {}
