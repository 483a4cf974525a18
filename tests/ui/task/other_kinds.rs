use carthage::prelude::*;

struct Layer;

#[customization(container)]
impl Layer {
    #[setup_task]
    async fn index(&self, host: &Host) -> Result<()> {
        host.write("/index", "").await
    }

    #[check_completed(index)]
    async fn is_there(&self, tree: &Tree) -> Result<bool> {
        tree.exists("/index").await
    }

    #[setup_task]
    async fn nothing(&self) -> Result<()> {
        Ok(())
    }
}

struct Files;

#[customization(filesystem)]
impl Files {
    #[setup_task]
    async fn index(&self, root: &Root) -> Result<()> {
        root.write("/index", "").await
    }

    #[setup_task]
    async fn other(&self, #[inject] tree: &Tree) -> Result<()> {
        tree.write("/index", "").await
    }
}

struct Site;

#[customization]
impl Site {
    #[setup_task]
    async fn index(&self, root: &Root) -> Result<()> {
        root.write("/index", "").await
    }
}

struct Both;

#[customization(container, filesystem)]
impl Both {
    #[setup_task(user = "nobody")]
    async fn index(&self, root: &Root) -> Result<()> {
        root.write("/index", "").await
    }
}

fn main() {}
