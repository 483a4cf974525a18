//! Which hosts were taken over: a file for each in the state directory.

use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::error::{Error, ErrorKind};
use crate::machine::engine::Identity;

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
pub(super) struct Records(PathBuf);

impl Records {
    pub(super) fn new(state: &Path) -> Self {
        Self(state.join(DIRECTORY))
    }

    /// The file of a machine.
    pub(super) fn file(&self, machine: &str) -> PathBuf {
        self.0.join(format!("{machine}.json"))
    }

    pub(super) fn find(&self, machine: &str) -> Result<Option<Adopted>, Error> {
        let file = self.file(machine);
        let text = match fs::read(&file) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(Error::host(format!("cannot read `{}`", file.display()))(error)),
        };
        serde_json::from_slice(&text).map(Some).map_err(|error| {
            Error::new(ErrorKind::Corrupt, format!("`{}` is damaged", file.display()))
                .because(error)
                .hint("remove it; the host is then taken over again by the next deployment")
        })
    }

    pub(super) fn keep(&self, machine: &str, adopted: &Adopted) -> Result<(), Error> {
        let file = self.file(machine);
        let keep = || {
            fs::DirBuilder::new().recursive(true).mode(0o700).create(&self.0)?;
            let mut new = tempfile::NamedTempFile::new_in(&self.0)?;
            new.write_all(&serde_json::to_vec(adopted)?)?;
            new.as_file().sync_all()?;
            new.persist(&file).map_err(|error| error.error)?;
            fs::File::open(&self.0)?.sync_all()
        };
        keep().map_err(Error::host::<io::Error>(format!("cannot write `{}`", file.display())))
    }

    pub(super) fn forget(&self, machine: &str) -> Result<(), Error> {
        let file = self.file(machine);
        match fs::remove_file(&file) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(Error::host(format!("cannot remove `{}`", file.display()))(error))
            }
            _ => Ok(()),
        }
    }

    pub(super) fn clear(&self) -> Result<(), Error> {
        match fs::remove_dir_all(&self.0) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(Error::host(format!("cannot remove `{}`", self.0.display()))(error))
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_taken_over_is_known_until_it_is_given_back() {
        let state = tempfile::tempdir().unwrap();
        let records = Records::new(state.path());
        assert_eq!(records.find("m.a").unwrap(), None);
        let adopted =
            Adopted { identity: Identity("1".into()), host: "h".into(), base: "/var/lib/carthage/x".into() };
        records.keep("m.a", &adopted).unwrap();
        assert_eq!(records.find("m.a").unwrap(), Some(adopted));
        fs::write(records.file("m.b"), "{").unwrap();
        assert_eq!(records.find("m.b").unwrap_err().kind(), ErrorKind::Corrupt);
        records.forget("m.a").unwrap();
        records.forget("m.a").unwrap();
        assert_eq!(records.find("m.a").unwrap(), None);
        records.clear().unwrap();
        records.clear().unwrap();
        assert_eq!(fs::read_dir(state.path()).unwrap().count(), 0);
    }
}
