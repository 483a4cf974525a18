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

#[machine_model(implementation = Bare)]
struct Mirror {
    #[customize]
    layer: Layer,
}

/// Another crate's implementation.
struct Bare;

carthage::capabilities!(Bare: Located, FileTree);

impl carthage::machine::implementation::Implementation for Bare {
    const NAME: &'static str = "Bare";

    async fn open(
        _: carthage::machine::engine::Site,
    ) -> Result<Arc<dyn carthage::machine::engine::Engine>, carthage::Error> {
        Err(carthage::Error::new(carthage::ErrorKind::Unsupported, "not here"))
    }
}

#[layout(implementation = Sandbox)]
struct Industrial {
    mirror: Mirror,
}

fn main() {}
