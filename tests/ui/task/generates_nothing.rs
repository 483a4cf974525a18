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

#[enclave]
struct Rich {
    reader: Reader,
}

#[model_tasks]
impl Rich {
    #[setup_task]
    async fn render(&self, dir: &ModelDir) -> Result<()> {
        dir.write("site", "").await
    }
}

#[machine_model]
struct Reader {
    #[inject]
    made: Generated<Rich>,
}

struct Value;

#[injectable]
impl Value {
    async fn new(#[inject] made: &Generated<Rich>) -> Result<Self> {
        made.read("site").await?;
        Ok(Self)
    }
}

fn main() {}
