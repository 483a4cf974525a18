use carthage::prelude::*;

struct Layer;

#[customization(container)]
impl Layer {
    #[setup_task]
    async fn index(&self, root: &Root) -> Result<()> {
        root.run(["touch", "/index"]).await?;
        Ok(())
    }
}

struct Files;

#[customization(filesystem)]
impl Files {
    #[setup_task]
    async fn index(&self, tree: &Tree) -> Result<()> {
        only_roots(tree).await?;
        tree.spawn(["sleep", "1"]).await
    }
}

async fn only_roots(root: &Root) -> Result<()> {
    root.write("/index", "").await
}

fn main() {}
