//! Services of the host's own first process.

use super::script::{Op, Probe};
use super::seen::Seen;
use super::{Build, Outcome, plain_name};

/// A service of systemd or OpenRC. Those that belong to a machine and need neither are started with
/// [`Host::spawn`](crate::Host::spawn).
///
/// ```
/// use carthage::block::Service;
/// Service::named("nginx").running().enabled();
/// Service::named("cups").stopped().disabled();
/// ```
#[derive(Clone)]
#[must_use]
pub struct Service {
    name: String,
    runs: Option<bool>,
    enabled: Option<bool>,
}

impl Service {
    /// One of this name, of which nothing is said yet.
    pub fn named(name: impl Into<String>) -> Self {
        Self { name: name.into(), runs: None, enabled: None }
    }

    /// It runs.
    pub fn running(mut self) -> Self {
        self.runs = Some(true);
        self
    }

    /// It does not run.
    pub fn stopped(mut self) -> Self {
        self.runs = Some(false);
        self
    }

    /// It starts with the machine.
    pub fn enabled(mut self) -> Self {
        self.enabled = Some(true);
        self
    }

    /// It does not start with the machine.
    pub fn disabled(mut self) -> Self {
        self.enabled = Some(false);
        self
    }

    /// What is to be done: with systemd and OpenRC alike.
    fn verbs(&self, runs: bool, enabled: bool) -> Vec<&'static str> {
        let enable = self.enabled.filter(|wanted| *wanted != enabled);
        let start = self.runs.filter(|wanted| *wanted != runs);
        let enable = enable.map(|wanted| if wanted { "enable" } else { "disable" });
        let start = start.map(|wanted| if wanted { "start" } else { "stop" });
        enable.into_iter().chain(start).collect()
    }
}

impl Build for Service {
    fn name(&self) -> String {
        format!("service {}", self.name)
    }

    fn verb(&self) -> &'static str {
        match (self.runs, self.enabled) {
            (Some(true), _) => "starts",
            (Some(false), _) => "stops",
            (None, Some(false)) => "disables",
            (None, _) => "enables",
        }
    }

    fn check(&self) -> Result<(), String> {
        if self.runs.is_none() && self.enabled.is_none() {
            return Err("say what it is to be: `.running()`, `.enabled()`".to_owned());
        }
        plain_name("service", &self.name)
    }

    fn probe(&self) -> Probe {
        let variables = vec![("name", self.name.clone().into())];
        Probe::Other { kind: "service", name: self.name.clone(), variables }
    }

    fn compare(&self, seen: &mut Seen) -> Outcome {
        let Some(told) = seen.told(&self.probe().key()) else { return Outcome::Same };
        if told.first() == "unknown" {
            return Outcome::Blocked("neither systemd nor OpenRC runs there".to_owned());
        }
        let verbs = self.verbs(told.first() == "yes", told.word(1) == "yes");
        if verbs.is_empty() {
            return Outcome::Same;
        }
        let variables = vec![("name", self.name.clone().into()), ("verbs", verbs.join(" ").into())];
        let what = verbs.iter().map(|verb| format!("{verb}s")).collect::<Vec<_>>().join(" and ");
        Outcome::differs(format!("{} {}", what, self.name()), Op::Other { kind: "service", variables })
    }

    fn is_opaque(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_differs_is_done() {
        let service = Service::named("web").running().enabled();
        assert_eq!(service.verbs(false, false), ["enable", "start"]);
        assert_eq!(service.verbs(true, false), ["enable"]);
        assert!(service.verbs(true, true).is_empty());
        assert_eq!(Service::named("web").stopped().verbs(true, true), ["stop"]);
    }
}
