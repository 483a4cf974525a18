use carthage::prelude::*;

#[network(v4 = "10.37.0.0/24", pool = "10.37.0.5-10.37.0.25")]
struct Lab;

#[machine_model]
struct Mirror {
    #[link]
    eth0: Link<Lab>,
}

/// Another crate's implementation, which knows nothing of networks.
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
    lab: Lab,
    mirror: Mirror,
}

fn main() {}
