//! An implementation from outside of Carthage, which can be named and cannot be opened.

use std::sync::Arc;

use carthage::machine::engine::{Engine, Site};
use carthage::machine::implementation::Implementation;
use carthage::{Error, ErrorKind};

/// Machines that exist on paper.
#[derive(Debug)]
pub struct Paper;

impl Implementation for Paper {
    const NAME: &'static str = "Paper";

    async fn open(_: Site) -> Result<Arc<dyn Engine>, Error> {
        Err(Error::new(ErrorKind::Unsupported, "machines on paper cannot be started"))
    }
}

carthage::capabilities!(Paper: Located, Links);
