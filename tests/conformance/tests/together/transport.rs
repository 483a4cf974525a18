//! How a shell is started in a toy, and how often that was.

use std::cell::RefCell;
use std::path::PathBuf;

use async_trait::async_trait;
use carthage::Error;
use carthage::guest::{Streams, Transport};

#[path = "../toy/transport.rs"]
mod toy;

pub(crate) use toy::{TOY, command};

thread_local! {
    /// The scripts that shells were started with.
    static STARTED: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

/// The scripts that shells were started with since this was last asked.
pub(crate) fn started() -> Vec<String> {
    STARTED.take()
}

/// Starts shells in one toy, and takes note of it.
#[derive(Debug)]
pub(crate) struct Here {
    pub(crate) machine: String,
    pub(crate) directory: PathBuf,
}

#[async_trait]
impl Transport for Here {
    fn machine(&self) -> &str {
        &self.machine
    }

    async fn shell(&self, script: &str) -> Result<Streams, Error> {
        STARTED.with_borrow_mut(|started| started.push(script.to_owned()));
        let Self { machine, directory } = self;
        toy::Here { machine: machine.clone(), directory: directory.clone() }.shell(script).await
    }
}
