use carthage::prelude::*;

struct Token;

#[machine_model]
struct Worker {
    #[inject]
    token: Arc<Token>,
}

struct Site;

#[customization]
impl Site {
    #[setup_task]
    async fn index(&self, host: &Host, #[inject] name: &String) -> Result<()> {
        host.write("/index", name).await
    }
}

#[enclave] #[allow(deprecated)]
struct Algebra {
    #[provide(Token)]
    token: Arc<Token>,
}

fn main() {}
