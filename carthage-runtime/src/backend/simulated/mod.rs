//! Machines that are made up: nothing is made, and everything is remembered.
//!
//! The world of a site is a file of what has happened, one line for each change, in the site's state directory. It outlives the program,
//! as a real world does: a line is written with one system call before the operation is answered, and a line that is not whole was
//! never written.
//!
//! | module | what |
//! |---|---|
//! | `world` | what there is, and what changes it; no files, no faults |
//! | `log` | the file |
//! | `faults` | what goes wrong, and how long things take |
//! | `engine` | the implementation |
//! | `streams` | commands that have ended, or never do |

mod engine;
mod faults;
mod log;
mod streams;
mod world;

use std::sync::Arc;

use crate::error::Error;
use crate::machine::engine::{Engine, Site};
use crate::machine::implementation::Implementation;

/// Machines in memory, for rehearsals and for tests of what deploys them: `implementation = Simulated`, or `--simulate SEED` for a
/// whole layout, whatever makes its machines.
///
/// Commands succeed and say nothing; files are kept; services run as long as their machine. [`Rehearsal`](crate::machine::engine::Rehearsal)
/// says what goes wrong.
#[derive(Debug)]
pub struct Simulated;

impl Implementation for Simulated {
    const NAME: &'static str = "Simulated";

    async fn open(site: Site) -> Result<Arc<dyn Engine>, Error> {
        Ok(Arc::new(engine::SimulatedEngine::open(site)?))
    }
}

// What any other of this crate can do: a layout of simulated machines can be made real.
crate::capabilities!(
    Simulated: Bridges, DirectoryRoot, Disks, Environment, FileTree, FirmwareType, Images, InterfaceNames, KernelBoot, Limits, Links, Located, Login,
    Mounts, OfflineRoot, Ports, Power
);
