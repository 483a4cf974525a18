use carthage::prelude::*;

struct Farm;

carthage::capabilities!(Farm: Power, Located, Links, Gateways);

impl carthage::machine::implementation::Implementation for Farm {
    const NAME: &'static str = "Farm";

    async fn open(
        _: carthage::machine::engine::Site,
    ) -> Result<Arc<dyn carthage::machine::engine::Engine>, carthage::Error> {
        unimplemented!()
    }
}

#[network(v4 = "10.37.0.0/24", gateway = "10.37.0.1")]
struct Lab;

#[machine_model]
struct Worker {
    #[link(address = "10.37.0.1-10.37.0.3")]
    eth0: Link<Lab>,
}

#[layout(implementation = Farm)]
struct Industrial {
    lab: Lab,
    workers: [Worker; 3],
}

fn main() {}
