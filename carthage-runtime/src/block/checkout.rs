//! Checkouts of git repositories.

use std::path::PathBuf;

use super::script::{Op, Probe};
use super::seen::Seen;
use super::{Build, Outcome, absolute};

/// A checkout of a git repository, at a revision. It needs git there. To compare it, the repository is asked where a branch or a tag
/// is now; a whole commit number asks nobody. What was changed in the checkout by hand and is in the way is an error.
///
/// ```
/// use carthage::block::GitCheckout;
/// GitCheckout::of("https://example.org/app.git").at("/srv/app").revision("v1.2");
/// ```
#[derive(Clone)]
#[must_use]
pub struct GitCheckout {
    url: String,
    path: PathBuf,
    revision: String,
}

impl GitCheckout {
    /// Of the repository at this URL. It is shown to others: no password belongs into it.
    pub fn of(url: impl Into<String>) -> Self {
        Self { url: url.into(), path: PathBuf::new(), revision: String::new() }
    }

    /// In this directory, which is empty, missing or a checkout already.
    pub fn at(mut self, path: impl Into<PathBuf>) -> Self {
        self.path = path.into();
        self
    }

    /// A branch, a tag or a whole commit number; the repository's own branch if not given.
    pub fn revision(mut self, revision: impl Into<String>) -> Self {
        self.revision = revision.into();
        self
    }

    fn variables(&self) -> Vec<(&'static str, std::ffi::OsString)> {
        vec![
            ("path", self.path.clone().into()),
            ("url", self.url.clone().into()),
            ("revision", self.revision.clone().into()),
        ]
    }
}

impl Build for GitCheckout {
    fn name(&self) -> String {
        format!("checkout {}", self.path.display())
    }

    fn described(&self) -> String {
        let revision = if self.revision.is_empty() { "HEAD" } else { &self.revision };
        format!("{} ({revision} of {})", self.name(), self.url)
    }

    fn check(&self) -> Result<(), String> {
        absolute(&self.path)?;
        let wrong = |text: &str| text.starts_with('-') || text.contains(['\n', '\0', ' ']);
        match () {
            () if self.url.is_empty() || wrong(&self.url) => Err(format!("`{}` is no URL", self.url)),
            () if wrong(&self.revision) => Err(format!("`{}` is no revision", self.revision)),
            () => Ok(()),
        }
    }

    fn probe(&self) -> Probe {
        Probe::Other { kind: "checkout", name: self.path.display().to_string(), variables: self.variables() }
    }

    fn compare(&self, seen: &mut Seen) -> Outcome {
        let Some(told) = seen.told(&self.probe().key()) else { return Outcome::Same };
        let short = |commit: &str| commit.get(..12).unwrap_or(commit).to_owned();
        let what = match (told.first(), told.word(1), told.word(2)) {
            ("none", ..) => format!("creates {}", self.described()),
            ("have", have, wanted) if have == wanted => return Outcome::Same,
            ("have", _, "") => {
                let revision = &self.revision;
                return Outcome::Blocked(format!("`{}` does not say where `{revision}` is", self.url));
            }
            ("have", have, wanted) => {
                format!("changes {}: {} -> {}", self.name(), short(have), short(wanted))
            }
            ("unknown", ..) => return Outcome::Blocked("there is no git there".to_owned()),
            _ => return Outcome::Blocked(format!("`{}` is there, and is no checkout", self.path.display())),
        };
        Outcome::differs(what, Op::Other { kind: "checkout", variables: self.variables() })
    }

    fn is_opaque(&self) -> bool {
        true
    }

    fn is_guarded(&self) -> bool {
        true
    }
}
