//! A lab of four machines on one network: a mirror serves a page, and three workers fetch it by name.
//!
//! ```console
//! $ cargo run -p lab -- plan
//! $ cargo run -p lab -- deploy --yes
//! $ cargo run -p lab -- exec worker-2.algebra -- cat /var/lib/lab/page
//! $ cargo run -p lab -- destroy --yes
//! ```

mod cluster;
mod machines;
mod site;
mod token;
mod web;

use carthage::prelude::*;

use crate::machines::{Lab, Mirror, Worker};
use crate::token::JoinToken;

/// Where the work is done.
#[enclave(domain = "algebra")]
pub struct Algebra {
    /// The wire.
    pub lab: Lab,
    /// Serves.
    pub mirror: Mirror,
    /// Fetch.
    pub workers: [Worker; 3],
}

/// A lab of four machines.
#[layout(name = "industrial", implementation = Sandbox)]
pub struct Industrial {
    /// Made once, and kept in the state directory.
    #[provide(persist, JoinToken::generate()?)]
    pub token: Arc<JoinToken>,
    /// The machines.
    pub algebra: Algebra,
}

/// This program is also what runs in the machines: it copies itself there.
fn main() -> std::process::ExitCode {
    web::main().unwrap_or_else(carthage::cli::main::<Industrial>)
}
