use carthage::prelude::*;

#[network(v4 = "10.37.0.0/24", pool = "10.37.0.5-10.37.0.25")]
struct Lab;

#[machine_model]
struct Mirror {
    #[link]
    eth0: Link<Lab>,
}

#[machine_model(shares_links = Mirror)]
struct Watcher;

/// Another crate's implementation, which plugs every machine in by itself.
struct Bare;

carthage::capabilities!(Bare: Located, Links);

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
    watcher: Watcher,
}

fn main() {}
