//! Packages of the host's system.

use super::script::{Op, Probe};
use super::seen::Seen;
use super::{Build, Outcome, plain_name};

/// A package, by whichever of apt, apk, dnf, yum, zypper and pacman the host has.
///
/// ```
/// use carthage::block::Package;
/// Package::named("curl");
/// Package::named("telnetd").absent();
/// ```
#[derive(Clone)]
#[must_use]
pub struct Package {
    name: String,
    present: bool,
}

impl Package {
    /// It is installed, in whatever version, or one that provides it is.
    pub fn named(name: impl Into<String>) -> Self {
        Self { name: name.into(), present: true }
    }

    /// It is not installed; one that provides it may be.
    pub fn absent(mut self) -> Self {
        self.present = false;
        self
    }
}

impl Build for Package {
    fn name(&self) -> String {
        format!("package {}", self.name)
    }

    fn verb(&self) -> &'static str {
        if self.present { "installs" } else { "removes" }
    }

    fn check(&self) -> Result<(), String> {
        plain_name("package", &self.name)?;
        // To apt, this one would be removed.
        if self.name.contains(['=', '/']) || self.name.ends_with('-') {
            return Err(format!("`{}` is no name of a package, which has no version and no path", self.name));
        }
        Ok(())
    }

    fn probe(&self) -> Probe {
        let variables = vec![("name", self.name.clone().into())];
        Probe::Other { kind: "package", name: self.name.clone(), variables }
    }

    fn compare(&self, seen: &mut Seen) -> Outcome {
        let Some(told) = seen.told(&self.probe().key()) else { return Outcome::Same };
        let is_so = match told.first() {
            "there" => self.present,
            // By one of another name, which somebody may want.
            "provided" => true,
            "none" => !self.present,
            _ => return Outcome::Blocked("no program there knows packages".to_owned()),
        };
        if is_so {
            return Outcome::Same;
        }
        let present = if self.present { "yes" } else { "no" };
        let variables = vec![("name", self.name.clone().into()), ("present", present.into())];
        let op = Op::Other { kind: "package", variables };
        Outcome::differs(format!("{} {}", self.verb(), self.name()), op)
    }

    fn is_opaque(&self) -> bool {
        true
    }

    fn alike(&self) -> Option<&'static str> {
        Some(self.verb())
    }
}
