use carthage::prelude::*;

#[injectable]
struct Token(String);

struct Site;

#[model_tasks]
impl Site {
    #[setup_task]
    async fn render(&self, dir: &ModelDir) -> Result<()> {
        dir.write("site", "").await
    }
}

#[role]
struct Web {}

#[model_tasks]
impl Web {
    #[setup_task]
    async fn render(&self, dir: &ModelDir) -> Result<()> {
        dir.write("web", "").await
    }
}

#[machine_model]
struct Mirror;

#[model_tasks]
impl Mirror {
    #[setup_task]
    async fn on_a_machine(&self, host: &Host) -> Result<()> {
        host.write("/etc/motd", "").await
    }

    #[setup_task(after = unknown)]
    async fn render(&self, dir: &ModelDir, #[inject] token: &Token) -> Result<()> {
        dir.write("token", &token.0).await
    }

    #[setup_task(after = Mirror.site.index, user = "www-data")]
    async fn later(&self, dir: &ModelDir) -> Result<()> {
        dir.run(["true"]).await
    }

    #[setup_task]
    fn blocks(&self) -> Blocks {
        Blocks::new()
    }

    #[setup_task]
    fn at_once(&self, _dir: &ModelDir) -> Result<()> {
        Ok(())
    }
}

#[model_tasks(now)]
struct Other;

struct Customized;

#[customization]
impl Customized {
    #[setup_task]
    async fn render(&self, dir: &ModelDir) -> Result<()> {
        dir.write("site", "").await
    }
}

fn main() {}
