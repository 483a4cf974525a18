//! Symbolic links.

use std::path::PathBuf;

use super::script::{Op, Probe, Wanted};
use super::seen::{At, Owners, Seen, What};
use super::{Build, Outcome, absolute};

/// A symbolic link. One that leads elsewhere is replaced; what is no link stays, and is an error.
///
/// ```
/// use carthage::block::Symlink;
/// Symlink::at("/etc/localtime").to("/usr/share/zoneinfo/UTC");
/// ```
#[derive(Clone)]
#[must_use]
pub struct Symlink {
    path: PathBuf,
    to: PathBuf,
}

impl Symlink {
    /// At this absolute path.
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), to: PathBuf::new() }
    }

    /// Where it leads to; what is relative is so to the directory that holds the link. Nothing needs to be there.
    pub fn to(mut self, to: impl Into<PathBuf>) -> Self {
        self.to = to.into();
        self
    }
}

impl Build for Symlink {
    fn name(&self) -> String {
        self.path.display().to_string()
    }

    fn described(&self) -> String {
        format!("{} -> {}", self.path.display(), self.to.display())
    }

    fn check(&self) -> Result<(), String> {
        absolute(&self.path)?;
        let bytes = self.to.as_os_str().as_encoded_bytes();
        let leads = !bytes.is_empty() && !bytes.contains(&0);
        leads.then_some(()).ok_or_else(|| format!("the link `{}` leads nowhere; write `.to(…)`", self.name()))
    }

    fn probe(&self) -> Probe {
        Probe::Path { path: self.path.clone(), contents: Wanted::None }
    }

    fn compare(&self, seen: &mut Seen) -> Outcome {
        // Of a made-up machine, links are not known.
        if seen.owners == Owners::None {
            return Outcome::Same;
        }
        let at = seen.at(&self.path);
        let what = match (&at.link, &at.what) {
            (Some(to), _) if *to == self.to => return Outcome::Same,
            (Some(to), _) => {
                format!("changes {}: leads to {} -> {}", self.name(), to.display(), self.to.display())
            }
            (None, What::Nothing) => format!("creates {}", self.described()),
            (None, _) => return Outcome::Blocked(format!("`{}` is there, and is no link", self.name())),
        };
        // Where it leads to was not looked at.
        seen.paths.insert(self.path.clone(), At { link: Some(self.to.clone()), what: What::Nothing });
        Outcome::differs(what, Op::Symlink { path: self.path.clone(), to: self.to.clone() })
    }

    /// What is behind it is another thing now.
    fn is_opaque(&self) -> bool {
        true
    }
}
