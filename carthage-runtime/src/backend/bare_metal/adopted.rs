//! Which hosts were taken over: a file for each in the state directory.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::error::{Error, ErrorKind};
use crate::machine::engine::{Identity, Site};
use crate::state::Files;

/// The directory of these files, in the layout's state directory.
const DIRECTORY: &str = "bare-metal";

/// A host that was taken over.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Adopted {
    /// New for each time that it was taken over.
    pub(super) identity: Identity,
    /// What tells this host from another: of its key and of what it calls itself.
    pub(super) host: String,
    /// Our directory on it.
    pub(super) base: PathBuf,
}

/// All of them.
#[derive(Clone, Debug)]
pub(super) struct Records(Files);

impl Records {
    pub(super) fn new(site: &Site) -> Self {
        Self(site.files(DIRECTORY))
    }

    /// The file of a machine.
    pub(super) fn file(&self, machine: &str) -> PathBuf {
        self.0.path(&name(machine))
    }

    pub(super) fn find(&self, machine: &str) -> Result<Option<Adopted>, Error> {
        let Some(text) = self.0.read(&name(machine))? else { return Ok(None) };
        serde_json::from_slice(&text).map(Some).map_err(|error| {
            Error::new(ErrorKind::Corrupt, format!("`{}` is damaged", self.file(machine).display()))
                .because(error)
                .hint("remove it; the host is then taken over again by the next deployment")
        })
    }

    pub(super) fn keep(&self, machine: &str, adopted: &Adopted) -> Result<(), Error> {
        let text = serde_json::to_vec(adopted).map_err(Error::host("a record cannot be written"))?;
        self.0.keep(&name(machine), &text)
    }

    pub(super) fn forget(&self, machine: &str) -> Result<(), Error> {
        self.0.forget(&name(machine))
    }

    pub(super) fn clear(&self) -> Result<(), Error> {
        self.0.clear()
    }
}

fn name(machine: &str) -> String {
    format!("{machine}.json")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::storage;

    #[test]
    fn what_is_taken_over_is_known_until_it_is_given_back() {
        let state = tempfile::tempdir().unwrap();
        let records = Records(Files::new(storage::usual(), state.path().join(DIRECTORY)));
        assert_eq!(records.find("m.a").unwrap(), None);
        let adopted =
            Adopted { identity: Identity("1".into()), host: "h".into(), base: "/var/lib/carthage/x".into() };
        records.keep("m.a", &adopted).unwrap();
        assert_eq!(records.find("m.a").unwrap(), Some(adopted));
        std::fs::write(records.file("m.b"), "{").unwrap();
        assert_eq!(records.find("m.b").unwrap_err().kind(), ErrorKind::Corrupt);
        records.forget("m.a").unwrap();
        records.forget("m.a").unwrap();
        assert_eq!(records.find("m.a").unwrap(), None);
        records.clear().unwrap();
        records.clear().unwrap();
        assert_eq!(std::fs::read_dir(state.path()).unwrap().count(), 0);
    }
}
