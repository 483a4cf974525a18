use carthage::prelude::*;

#[network(v4 = "10.37.0.0/24", pool = "10.37.0.5-10.37.0.25")]
struct Lab;

#[machine_model]
struct Router {
    #[link]
    eth0: Link<Lab>,
}

#[machine_model(shares_links = Router)]
#[expose(80, on = 8080)]
struct Watcher;

/// Another crate's implementation.
struct Rack;

carthage::capabilities!(Rack: Located, Links, SharedLinks, Ports);

impl carthage::machine::implementation::Implementation for Rack {
    const NAME: &'static str = "Rack";

    async fn open(
        _: carthage::machine::engine::Site,
    ) -> Result<Arc<dyn carthage::machine::engine::Engine>, carthage::Error> {
        Err(carthage::Error::new(carthage::ErrorKind::Unsupported, "not here"))
    }
}

#[layout(implementation = Rack)]
struct Site {
    lab: Lab,
    router: Router,
    watcher: Watcher,
}

fn main() {}
