use carthage::prelude::*;

#[derive(Default)]
struct Layer;

#[customization(container)]
impl Layer {
    #[setup_task]
    async fn index(&self, files: &Root) -> Result<()> {
        files.write("/index", "").await
    }
}

#[role]
struct Layered {
    #[customize]
    layer: Layer,
}

#[machine_model(ip_address = "192.0.2.7")]
struct Server {
    #[role]
    layered: Layered,
}

#[layout(implementation = carthage::BareMetal)]
struct Site {
    server: Server,
}

fn main() {}
