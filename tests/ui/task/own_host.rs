use carthage::backend::Simulated;
use carthage::customize::{OwnHost, WorkplaceOn};
use carthage::prelude::*;

struct Console;

impl OwnHost for Console {
    type From = Host;

    async fn open(_: &Host) -> Result<Self> {
        Ok(Self)
    }
}

impl WorkplaceOn<Simulated> for Console {}

#[derive(Default)]
struct Ports;

#[customization(host = Console)]
impl Ports {
    #[setup_task]
    async fn office(&self, console: &Console) -> Result<()> {
        console.run(["reboot"]).await
    }

    #[setup_task]
    async fn other(&self, _host: &Host) -> Result<()> {
        Ok(())
    }
}

struct Text;

#[customization(host = String)]
impl Text {
    #[setup_task]
    async fn text(&self, _text: &String) -> Result<()> {
        Ok(())
    }
}

struct Both;

#[customization(container, host = Console)]
impl Both {}

/// One that has a console.
#[machine_model(implementation = Simulated)]
struct Right {
    #[customize]
    ports: Ports,
}

/// One that has none.
#[machine_model(implementation = Sandbox)]
struct Wrong {
    #[customize]
    ports: Ports,
}

fn main() {}
