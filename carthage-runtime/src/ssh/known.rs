//! Which key a host shows: what is pinned in the model, what the layout has learned, and what it showed just now.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::{Mutex, PoisonError};

use crate::error::{Error, ErrorKind};
use crate::machine::engine::HostKey;
use crate::state::Files;

/// The directory of what was learned: for each machine a file of its name, as ssh reads it.
const LEARNED: &str = "known_hosts";

/// The keys that the layout knows hosts by. They are filed by the machine's name and never by its address, which another
/// machine may have in another namespace.
#[derive(Debug)]
pub(super) struct Known {
    files: Files,
    /// What was learned while nothing is to be written: for this process.
    aside: Option<Mutex<BTreeMap<String, String>>>,
}

/// The key that a machine is expected to show.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Expected {
    /// `ssh-ed25519 AAAA…`
    pub(super) key: String,
    /// Where it is written down.
    pub(super) whence: Whence,
}

/// Where a host's key is written down.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Whence {
    /// In the model.
    Model,
    /// In this file.
    File(PathBuf),
}

impl Known {
    /// In the directory of everything that is about ssh, to which nothing is written by who only looks.
    pub(super) fn new(base: &Files, looks: bool) -> Self {
        Self { files: base.of(base.path(LEARNED)), aside: looks.then(Mutex::default) }
    }

    /// What this machine is expected to show; `None` if nothing is known yet.
    pub(super) fn expected(&self, machine: &str, of: &HostKey) -> Result<Option<Expected>, Error> {
        if let HostKey::Pinned(key) = of {
            return Ok(Some(Expected { key: key.clone(), whence: Whence::Model }));
        }
        let file = self.files.path(machine);
        if let Some(aside) = &self.aside
            && let Some(key) = aside.lock().unwrap_or_else(PoisonError::into_inner).get(machine)
        {
            return Ok(Some(Expected { key: key.clone(), whence: Whence::File(file) }));
        }
        let Some(text) = self.files.read(machine)? else { return Ok(None) };
        match key(&String::from_utf8_lossy(&text)) {
            Some(key) => Ok(Some(Expected { key, whence: Whence::File(file) })),
            None => {
                let what = format!("`{}` holds no host key", file.display());
                Err(Error::new(ErrorKind::Corrupt, what)
                    .hint(format!("write `{machine} ssh-ed25519 AAAA…` into it, or remove it")))
            }
        }
    }

    /// Writes down what a machine has shown.
    pub(super) fn learn(&self, machine: &str, key: &str) -> Result<(), Error> {
        match &self.aside {
            Some(aside) => {
                let mut aside = aside.lock().unwrap_or_else(PoisonError::into_inner);
                aside.insert(machine.to_owned(), key.to_owned());
                Ok(())
            }
            None => self.files.keep(machine, line(machine, key).as_bytes()),
        }
    }

    /// Forgets what a machine has shown.
    pub(super) fn forget(&self, machine: &str) -> Result<(), Error> {
        self.files.forget(machine)
    }
}

/// A line as ssh reads it.
pub(super) fn line(machine: &str, key: &str) -> String {
    format!("{machine} {key}\n")
}

/// The key in such a text.
pub(super) fn key(text: &str) -> Option<String> {
    let mut words = text.lines().find(|line| !line.trim_start().starts_with('#'))?.split_whitespace().skip(1);
    Some(format!("{} {}", words.next()?, words.next()?))
}

/// The fingerprint of a key, as people compare it: `SHA256:…`.
pub(super) async fn fingerprint(key: &str) -> Result<String, Error> {
    use tokio::io::AsyncWriteExt;
    let ask = async {
        let mut asked = tokio::process::Command::new("ssh-keygen")
            .args(["-l", "-f", "-"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()?;
        if let Some(mut stdin) = asked.stdin.take() {
            stdin.write_all(format!("{key}\n").as_bytes()).await?;
        }
        asked.wait_with_output().await
    };
    let answer = ask.await.map_err(Error::host("cannot ask `ssh-keygen` for a fingerprint"))?;
    let answer = String::from_utf8_lossy(&answer.stdout).into_owned();
    let fingerprint = answer.split_whitespace().find(|word| word.contains(':'));
    fingerprint.map(str::to_owned).ok_or_else(|| {
        Error::new(ErrorKind::Host, "`ssh-keygen` gives no fingerprint").because(format!("of `{key}`"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJPZmSTWxRVGJqIoYNxLVgNxKCzX0UZ7Yv4e0sFhVgXz";

    #[tokio::test]
    async fn what_is_learned_is_known_until_it_is_forgotten() {
        let base = tempfile::tempdir().unwrap();
        let known = Known::new(&Files::new(crate::state::storage::usual(), base.path().to_owned()), false);
        assert_eq!(known.expected("m.a", &HostKey::Learn).unwrap(), None);
        known.learn("m.a", KEY).unwrap();
        let expected = known.expected("m.a", &HostKey::Unknown).unwrap().unwrap();
        assert_eq!(expected.key, KEY);
        let pinned = known.expected("m.a", &HostKey::Pinned("ssh-rsa AAAA".into())).unwrap().unwrap();
        assert_eq!(pinned, Expected { key: "ssh-rsa AAAA".into(), whence: Whence::Model });
        known.forget("m.a").unwrap();
        known.forget("m.a").unwrap();
        assert_eq!(known.expected("m.a", &HostKey::Learn).unwrap(), None);
        std::fs::write(base.path().join("known_hosts/m.a"), "nonsense").unwrap();
        assert_eq!(known.expected("m.a", &HostKey::Learn).unwrap_err().kind(), ErrorKind::Corrupt);
        assert!(fingerprint(KEY).await.unwrap().starts_with("SHA256:"));
        assert!(fingerprint("nonsense").await.is_err());
    }
}
