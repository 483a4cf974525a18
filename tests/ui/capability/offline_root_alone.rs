/// Reaches files of what is stopped, and of nothing that runs.
struct Bare;

carthage::capabilities!(Bare: OfflineRoot);

impl carthage::machine::implementation::Implementation for Bare {
    const NAME: &'static str = "Bare";

    async fn open(
        _: carthage::machine::engine::Site,
    ) -> Result<std::sync::Arc<dyn carthage::machine::engine::Engine>, carthage::Error> {
        Err(carthage::Error::new(carthage::ErrorKind::Unsupported, "not here"))
    }
}

fn main() {}
