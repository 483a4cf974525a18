use carthage::prelude::*;

#[enclave]
struct Plain {
    web: Web,
}

#[derive(Default)]
struct Install;

#[customization]
impl Install {
    #[setup_task]
    async fn take(&self, host: &Host, #[inject] made: &Generated<Plain>) -> Result<()> {
        host.copy_in(made.path(), "/srv").await
    }
}

#[machine_model]
struct Web {
    #[customize]
    install: Install,
}

fn main() {}
