//! What was tried, counted, so that a test that tries nothing does not pass.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// How often what of which kind occurred.
#[derive(Debug, Default)]
pub(crate) struct Tally(Mutex<BTreeMap<&'static str, BTreeMap<String, usize>>>);

impl Tally {
    /// Counts one more.
    pub(crate) fn count(&self, kind: &'static str, what: impl Into<String>) {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *counts.entry(kind).or_default().entry(what.into()).or_default() += 1;
    }

    /// How many there were of a kind.
    pub(crate) fn all(&self, kind: &str) -> usize {
        self.0.lock().unwrap().get(kind).map_or(0, |counts| counts.values().sum())
    }

    /// # Panics
    /// Where one of these did not occur as often, or nothing else of the kind did.
    pub(crate) fn has(&self, kind: &'static str, least: usize, whats: &[&str]) {
        let counts = self.0.lock().unwrap();
        for what in whats {
            let number = counts.get(kind).and_then(|counts| counts.get(*what)).copied().unwrap_or(0);
            assert!(number >= least, "{kind}: `{what}` only {number} times of {least}");
        }
    }

    /// A table for people.
    pub(crate) fn show(&self) {
        for (kind, counts) in &*self.0.lock().unwrap() {
            println!("{kind}");
            counts.iter().for_each(|(what, number)| println!("  {number:>6}  {what}"));
        }
    }
}
