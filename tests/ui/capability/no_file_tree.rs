use carthage::prelude::*;

#[derive(Default)]
struct Layer;

#[customization(filesystem)]
impl Layer {
    #[setup_task]
    async fn index(&self, files: &Tree) -> Result<()> {
        files.write("/index", "").await
    }
}

#[machine_model]
struct Mirror {
    #[customize]
    layer: Layer,
}

/// Another crate's implementation.
struct Bare;

carthage::capabilities!(Bare: Located);

impl carthage::machine::implementation::Implementation for Bare {
    const NAME: &'static str = "Bare";

    async fn open(
        _: carthage::machine::engine::Site,
    ) -> Result<Arc<dyn carthage::machine::engine::Engine>, carthage::Error> {
        Err(carthage::Error::new(carthage::ErrorKind::Unsupported, "not here"))
    }
}

#[layout(implementation = Bare)]
struct Industrial {
    mirror: Mirror,
}

fn main() {}
