use carthage::prelude::*;

#[derive(Default)]
struct Tools;

#[customization(filesystem)]
impl Tools {
    #[setup_task]
    async fn install(&self, tree: &carthage::Tree) -> Result<()> {
        tree.write("/etc/tools", "").await
    }
}

#[image(base = "/srv/images/debian.qcow2")]
struct Debian {
    #[customize]
    tools: Tools,
}

#[machine_model]
struct Server {
    #[image]
    disk: Debian,
}

/// Another crate's implementation.
struct Machines;

carthage::capabilities!(Machines: Located, Images, FileTree);

impl carthage::machine::implementation::Implementation for Machines {
    const NAME: &'static str = "Machines";

    async fn open(
        _: carthage::machine::engine::Site,
    ) -> Result<Arc<dyn carthage::machine::engine::Engine>, carthage::Error> {
        unreachable!()
    }
}

#[layout(implementation = Machines)]
struct Site {
    server: Server,
}

fn main() {}
