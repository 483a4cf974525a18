//! The layout of the guide, spread over several files, with an enclave from another crate.

mod algebra;
mod farm;
mod paper;
mod site;

pub use algebra::{Algebra, Lab, Mirror, Worker};
use carthage::prelude::*;
pub use farm::Farm;
use library_enclave::{Monitoring, Viewers};
pub use paper::Paper;
pub use site::{JoinCluster, StaticSite};

/// What a worker shows to join.
#[injectable]
pub struct JoinToken(String);

impl JoinToken {
    fn generate() -> Self {
        Self("token".to_owned())
    }
}

/// Everything.
#[layout(name = "industrial", implementation = Sandbox)]
pub struct Industrial {
    #[provide(persist, JoinToken::generate())]
    token: Arc<JoinToken>,
    #[provide(Viewers(vec![format!("{} characters", token.0.len())]))]
    viewers: Arc<Viewers>,
    /// The lab.
    pub algebra: Algebra,
    /// From a library.
    pub monitoring: Monitoring<2>,
}
