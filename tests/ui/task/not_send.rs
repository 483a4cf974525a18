use carthage::prelude::*;

struct Site {
    port: u16,
}

#[customization]
impl Site {
    #[setup_task]
    async fn index(&self, host: &Host) -> Result<()> {
        let text = std::rc::Rc::new(self.port);
        host.write("/index", "").await?;
        drop(text);
        Ok(())
    }
}

fn main() {}
