//! Two machines that are called as before when they change places in the source.

use carthage::backend::Simulated;
use carthage::prelude::*;

use super::setting;

/// What a machine keeps of its own.
#[injectable]
pub struct Seal(String);

/// A machine that knows which it is.
#[machine_model]
pub struct Desk {
    /// Made once.
    #[provide(persist, Seal(format!("{:032x}", fastrand::u128(..))))]
    pub seal: Arc<Seal>,
    /// What it does with it.
    #[customize(Sealed { seal: seal.clone() })]
    pub sealed: Sealed,
}

/// What a machine does that has a seal.
pub struct Sealed {
    /// Its own.
    pub seal: Arc<Seal>,
}

#[customization]
impl Sealed {
    /// Count how often it got one.
    #[setup_task(hash = &self.seal.0)]
    async fn count(&self, host: &Host) -> Result<()> {
        let before =
            if host.exists("/count").await? { host.read_to_string("/count").await? } else { String::new() };
        host.write("/count", format!("{before}+")).await
    }

    /// What a test changes.
    #[setup_task(hash = setting("TESTLAB_TEXT", String::new()))]
    async fn note(&self, host: &Host) -> Result<()> {
        host.write("/note", setting("TESTLAB_TEXT", String::new())).await
    }
}

/// The desks, each where it belongs.
#[layout(name = "testlab", implementation = Simulated)]
pub struct Desks {
    /// One.
    #[member(name = "left")]
    pub door: Desk,
    /// And the other.
    #[member(name = "right")]
    pub window: Desk,
}

/// Each where the other was.
#[layout(name = "testlab", implementation = Simulated)]
pub struct Swapped {
    /// The other.
    #[member(name = "right")]
    pub door: Desk,
    /// And the one.
    #[member(name = "left")]
    pub window: Desk,
}
