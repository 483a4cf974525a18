//! Keys with which somebody may log in.

use std::path::Path;

use super::content::Content;
use super::script::{Op, Probe};
use super::seen::{Seen, What};
use super::{Build, Outcome, plain_name};
use crate::step::Change;

/// A key that may log in as a user, in that user's `~/.ssh/authorized_keys`. Other keys there stay.
///
/// ```
/// use carthage::block::AuthorizedKey;
/// AuthorizedKey::of("deploy").key("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHbN ops@example.org");
/// ```
#[derive(Clone)]
#[must_use]
pub struct AuthorizedKey {
    user: String,
    key: String,
}

impl AuthorizedKey {
    /// Of this user, who must be there by then.
    pub fn of(user: impl Into<String>) -> Self {
        Self { user: user.into(), key: String::new() }
    }

    /// The line of the public key: options if any, kind, key, comment.
    pub fn key(mut self, key: impl Into<String>) -> Self {
        self.key = key.into().trim().to_owned();
        self
    }
}

impl Build for AuthorizedKey {
    fn name(&self) -> String {
        format!("authorized key of {}", self.user)
    }

    fn described(&self) -> String {
        format!("{} ({})", self.name(), self.key.split(' ').next_back().unwrap_or_default())
    }

    fn verb(&self) -> &'static str {
        "adds"
    }

    fn check(&self) -> Result<(), String> {
        plain_name("user", &self.user)?;
        let is_key = self.key.contains(' ') && !self.key.contains(['\n', '\0']);
        is_key.then_some(()).ok_or_else(|| "its `.key(…)` is not one line of a public key".to_owned())
    }

    fn probe(&self) -> Probe {
        Probe::Keys { user: self.user.clone() }
    }

    fn compare(&self, seen: &mut Seen) -> Outcome {
        let Some(told) = seen.told(&self.probe().key()) else { return Outcome::Same };
        if told.first() != "home" {
            return Outcome::Blocked(format!("there is no user `{}`", self.user));
        }
        let path = Path::new(&told.text).join(".ssh/authorized_keys");
        let mut at = seen.at(&path);
        let old = match &at.what {
            What::Nothing => Vec::new(),
            What::Something(facts) => facts.contents.clone().unwrap_or_default(),
            What::Denied => return Outcome::Blocked(format!("`{}` may not be read", path.display())),
        };
        if old.split(|byte| *byte == b'\n').any(|line| line == self.key.as_bytes()) {
            return Outcome::Same;
        }
        let is_open = old.last().is_some_and(|last| *last != b'\n');
        let new = [&old[..], if is_open { &b"\n"[..] } else { b"" }, self.key.as_bytes(), b"\n"].concat();
        let change =
            Change { what: format!("adds {}", self.described()), diff: Some(format!("+{}\n", self.key)) };
        if let What::Something(facts) = &mut at.what {
            facts.contents = Some(new.clone());
        } else {
            at = super::seen::At { what: What::Something(new_file(new.clone())), link: None };
        }
        seen.paths.insert(path.clone(), at);
        let op = Op::Keys { path, user: self.user.clone(), content: Content::from(new) };
        Outcome::Differs(change, vec![op])
    }
}

fn new_file(contents: Vec<u8>) -> super::seen::Facts {
    super::seen::Facts {
        kind: crate::machine::engine::FileKind::File,
        mode: Some(0o600),
        owner: Default::default(),
        group: Default::default(),
        len: contents.len() as u64,
        contents: Some(contents),
    }
}
