use carthage::prelude::*;

struct Farm;

carthage::capabilities!(Farm: Gateways, Dhcp);

impl carthage::machine::implementation::Implementation for Farm {
    const NAME: &'static str = "Farm";

    async fn open(
        _: carthage::machine::engine::Site,
    ) -> Result<Arc<dyn carthage::machine::engine::Engine>, carthage::Error> {
        unimplemented!()
    }
}

#[network(v4 = "10.37.0.0/24", pool = "10.37.0.5-10.37.0.120", dhcp = "10.37.0.100-10.37.0.199")]
struct Lab;

#[layout(implementation = Farm)]
struct Industrial {
    lab: Lab,
}

fn main() {}
