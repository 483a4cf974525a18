use carthage::prelude::*;

struct Layer;

#[customization(container)]
impl Layer {
    #[setup_task]
    async fn index(&self, host: &Host) -> Result<()> {
        host.write("/index", "").await
    }
}

fn main() {}
