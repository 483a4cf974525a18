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
    /// It is installed, in whatever version.
    pub fn named(name: impl Into<String>) -> Self {
        Self { name: name.into(), present: true }
    }

    /// It is not installed.
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
        plain_name("package", &self.name)
    }

    fn probe(&self) -> Probe {
        let variables = vec![("name", self.name.clone().into())];
        Probe::Other { kind: "package", name: self.name.clone(), variables }
    }

    fn compare(&self, seen: &mut Seen) -> Outcome {
        let Some(told) = seen.told(&self.probe().key()) else { return Outcome::Same };
        let is_there = match told.first() {
            "there" => true,
            "none" => false,
            _ => return Outcome::Blocked("no program there knows packages".to_owned()),
        };
        if is_there == self.present {
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
