use carthage::prelude::*;

#[enclave]
struct Elsewhere {
    other: Other,
}

#[model_tasks]
impl Elsewhere {
    #[setup_task]
    async fn render(&self, dir: &ModelDir) -> Result<()> {
        dir.write("site", "").await
    }
}

#[machine_model]
struct Other;

#[derive(Default)]
struct Install;

#[customization]
impl Install {
    #[setup_task]
    async fn take(&self, host: &Host, #[inject] made: &Generated<Elsewhere>) -> Result<()> {
        host.copy_in(made.path(), "/srv").await
    }
}

#[machine_model]
struct Web {
    #[customize]
    install: Install,
}

#[layout(implementation = Sandbox)]
struct Lab {
    web: Web,
}

fn main() {}
