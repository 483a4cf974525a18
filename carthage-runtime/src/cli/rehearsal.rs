//! `--simulate`: the layout is rehearsed in a world that is made up.

use std::path::PathBuf;

use tempfile::TempDir;

use super::args::{Args, Common};
use crate::error::Error;
use crate::machine::engine;

/// Where the world of a rehearsal is kept.
#[derive(Debug)]
pub(super) struct Rehearsal(Option<TempDir>);

impl Rehearsal {
    /// Has the command keep everything apart from what is real: below a directory that the user names, or where it is forgotten.
    pub(super) fn begin(args: &mut Args) -> Result<Self, Error> {
        if args.common.simulate.is_none() {
            return Ok(Self(None));
        }
        let (kept, directory) = match &args.common.state_dir {
            Some(state) => (None, state.join("simulated")),
            None => {
                let made = tempfile::Builder::new().prefix("carthage-simulated-").tempdir();
                let made = made.map_err(Error::host("cannot make a directory for the rehearsal"))?;
                let path = PathBuf::from(made.path());
                (Some(made), path)
            }
        };
        args.common.state_dir = Some(directory);
        Ok(Self(kept))
    }

    /// Forgets it. What cannot be removed is where the system removes things.
    pub(super) fn end(self) {
        if let Some(Err(error)) = self.0.map(TempDir::close) {
            tracing::warn!(%error, "the directory of the rehearsal is still there");
        }
    }
}

impl Common {
    /// How the simulated world behaves.
    pub(super) fn rehearsal(&self) -> engine::Rehearsal {
        engine::Rehearsal {
            seed: self.simulate.unwrap_or_default(),
            faults: self.fault.clone(),
            takes_time: self.simulate.is_some(),
        }
    }
}
