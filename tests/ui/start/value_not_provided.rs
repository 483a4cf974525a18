use carthage::prelude::*;

use carthage::machine::start::{StartDependency, Starting};

#[injectable]
struct License;

impl StartDependency for License {
    async fn wait(&self, _: &Starting) -> Result<()> {
        Ok(())
    }
}

#[machine_model]
struct Web {
    #[provide(License)]
    license: Arc<License>,
}

#[layout(implementation = Sandbox)]
#[depends_on(with = License)]
struct Site {
    web: Web,
}

fn main() {}
