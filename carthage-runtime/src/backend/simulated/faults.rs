//! What goes wrong, and how long things take.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::machine::engine::{Misfortune, Occasion, Rehearsal};

/// Chance, of a seed.
#[derive(Debug)]
pub(super) struct Fate {
    rehearsal: Arc<Rehearsal>,
    /// How often each fault has applied.
    applied: Vec<AtomicU64>,
    /// How often chance was asked.
    asked: AtomicU64,
}

impl Fate {
    pub(super) fn new(rehearsal: Arc<Rehearsal>) -> Self {
        let applied = rehearsal.faults.iter().map(|_| AtomicU64::new(0)).collect();
        Self { rehearsal, applied, asked: AtomicU64::new(0) }
    }

    /// What happens to this operation on a machine or network, and as which fault.
    pub(super) fn strikes(&self, operation: &str, name: &str) -> Option<(Misfortune, String)> {
        let faults = self.rehearsal.faults.iter().zip(&self.applied);
        let mut applying = faults.filter(|(fault, _)| fault.applies(operation, name));
        let struck = applying.find(|(fault, applied)| {
            let time = applied.fetch_add(1, Ordering::Relaxed) + 1;
            match fault.when {
                Occasion::Always => true,
                Occasion::Nth(number) => time == number,
                Occasion::Percent(percent) => self.number(name) % 100 < percent,
            }
        });
        struck.map(|(fault, _)| (fault.happens, fault.to_string()))
    }

    /// Whether something was done whose answer is lost.
    pub(super) fn coin(&self, name: &str) -> bool {
        self.number(name).is_multiple_of(2)
    }

    /// How long an operation takes, if things take their time.
    pub(super) fn takes(&self, operation: &str, name: &str) -> Duration {
        if !self.rehearsal.takes_time {
            return Duration::ZERO;
        }
        let (least, most) = match operation {
            "create" => (300, 3_000),
            "start" => (500, 20_000),
            "stop" => (100, 5_000),
            "remove" => (100, 1_000),
            "run" | "write" => (10, 500),
            _ => (1, 20),
        };
        Duration::from_millis(least + self.number(name) % (most - least))
    }

    /// Something new for each time it is asked for.
    pub(super) fn identity(&self, name: &str, changes: u64) -> String {
        format!("{:016x}", self.hash(name, changes))
    }

    fn number(&self, name: &str) -> u64 {
        self.hash(name, self.asked.fetch_add(1, Ordering::Relaxed))
    }

    fn hash(&self, name: &str, number: u64) -> u64 {
        let mut hasher = blake3::Hasher::new();
        hasher
            .update(&self.rehearsal.seed.to_le_bytes())
            .update(&number.to_le_bytes())
            .update(name.as_bytes());
        let mut first = [0; 8];
        first.copy_from_slice(&hasher.finalize().as_bytes()[..8]);
        u64::from_le_bytes(first)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fate(seed: u64, faults: &[&str]) -> Fate {
        let faults = faults.iter().map(|fault| fault.parse().unwrap()).collect();
        Fate::new(Arc::new(Rehearsal { seed, faults, takes_time: true }))
    }

    #[test]
    fn the_second_time() {
        let fate = fate(1, &["start:*=fail#2", "start:b=hang"]);
        let struck: Vec<_> =
            ["a", "b", "a"].map(|name| fate.strikes("start", name).map(|struck| struck.0)).into();
        assert_eq!(struck, [None, Some(Misfortune::Fail), None]);
        assert_eq!(fate.strikes("start", "b").unwrap().0, Misfortune::Hang);
        assert!(fate.strikes("stop", "b").is_none());
    }

    #[test]
    fn the_same_seed_gives_the_same_world() {
        let chances = |seed| {
            let fate = fate(seed, &["*=lose%30"]);
            (0..200).map(|_| fate.strikes("run", "m").is_some()).collect::<Vec<_>>()
        };
        assert_eq!(chances(7), chances(7));
        assert_ne!(chances(7), chances(8));
        let struck = chances(7).into_iter().filter(|struck| *struck).count();
        assert!((30..90).contains(&struck), "{struck} of 200 at 30 percent");
        let lasts = |seed| fate(seed, &[]).takes("start", "m");
        assert_eq!(lasts(7), lasts(7));
    }
}
