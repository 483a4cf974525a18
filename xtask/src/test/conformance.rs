//! The conformance suite's cases by implementation, as a table.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// How a case ended on one implementation.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Outcome {
    Passed,
    Failed,
    /// With the reason.
    Skipped(String),
}

/// What the programs of the suite said, in their order.
#[derive(Debug, Default)]
pub(super) struct Table {
    columns: Vec<(String, BTreeMap<String, Outcome>)>,
}

/// What a program of the suite begins with, before the name of its implementation.
const BEGINS: &str = "conformance: ";

impl Table {
    /// The implementation that a program says it is about.
    pub(super) fn implementation(line: &str) -> Option<&str> {
        line.strip_prefix(BEGINS)
    }

    /// From here on, cases are of this implementation, in this part of the run.
    pub(super) fn begin(&mut self, implementation: &str, section: &str) {
        let name = [implementation, section].join(" ").trim_end().to_owned();
        self.columns.push((name, BTreeMap::new()));
    }

    /// A case ended without a failure, perhaps because it was skipped.
    pub(super) fn passed(&mut self, case: &str) {
        self.note(case, Outcome::Passed);
    }

    pub(super) fn failed(&mut self, case: &str) {
        self.note(case, Outcome::Failed);
    }

    pub(super) fn skipped(&mut self, case: &str, reason: &str) {
        self.note(case, Outcome::Skipped(reason.to_owned()));
    }

    /// Which column is being filled.
    pub(super) fn column(&self) -> Option<usize> {
        self.columns.len().checked_sub(1)
    }

    /// A case of this column that had failed passed when it was run again.
    pub(super) fn mended(&mut self, column: usize, case: &str) {
        self.columns[column].1.insert(case.to_owned(), Outcome::Passed);
    }

    fn note(&mut self, case: &str, outcome: Outcome) {
        let Some((_, cases)) = self.columns.last_mut() else { return };
        let known = cases.entry(case.to_owned()).or_insert_with(|| outcome.clone());
        // What was skipped is counted as passed by its program.
        if *known == Outcome::Passed || outcome == Outcome::Failed {
            *known = outcome;
        }
    }
}

/// The capability that an implementation lacks, if that is the reason.
pub(super) fn lacking(reason: &str) -> Option<&str> {
    reason.strip_suffix('`')?.rsplit_once("` does not declare `").map(|(_, capability)| capability)
}

fn cell(outcome: Option<&Outcome>) -> String {
    match outcome {
        None => String::new(),
        Some(Outcome::Passed) => "passed".to_owned(),
        Some(Outcome::Failed) => "FAILED".to_owned(),
        Some(Outcome::Skipped(reason)) => match lacking(reason) {
            Some(capability) => format!("no {capability}"),
            None => "skipped".to_owned(),
        },
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let cases: BTreeSet<_> = self.columns.iter().flat_map(|(_, cases)| cases.keys()).collect();
        let first = ["case"].into_iter().chain(cases.iter().map(|case| case.as_str())).map(str::to_owned);
        let mut columns: Vec<Vec<String>> = vec![first.collect()];
        for (name, outcomes) in &self.columns {
            let below = cases.iter().map(|case| cell(outcomes.get(*case)));
            columns.push([name.clone()].into_iter().chain(below).collect());
        }
        let width = |column: &Vec<String>| column.iter().map(|cell| cell.chars().count()).max().unwrap_or(0);
        let widths: Vec<_> = columns.iter().map(width).collect();
        for row in 0..=cases.len() {
            let cells = columns.iter().zip(&widths).map(|(column, width)| format!("{:width$}", column[row]));
            writeln!(f, "| {} |", cells.collect::<Vec<_>>().join(" | "))?;
            if row == 0 {
                let rules: Vec<_> = widths.iter().map(|width| "-".repeat(*width)).collect();
                writeln!(f, "| {} |", rules.join(" | "))?;
            }
        }
        for (name, outcomes) in &self.columns {
            let count = |is: fn(&Outcome) -> bool| outcomes.values().filter(|outcome| is(outcome)).count();
            let passed = count(|outcome| *outcome == Outcome::Passed);
            let skipped = count(|outcome| matches!(outcome, Outcome::Skipped(_)));
            writeln!(
                f,
                "{name}: {passed} passed, {skipped} skipped, {} failed",
                count(|o| *o == Outcome::Failed)
            )?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cases_by_implementation() {
        let mut table = Table::default();
        table.begin("Toy", "");
        table.passed("a::x");
        table.skipped("a::y", "`Toy` does not declare `Links`");
        table.passed("a::y");
        table.begin("Sandbox", "as games");
        table.failed("a::x");
        table.skipped("a::y", "no engine here");
        let shown = "\
| case | Toy      | Sandbox as games |
| ---- | -------- | ---------------- |
| a::x | passed   | FAILED           |
| a::y | no Links | skipped          |
Toy: 1 passed, 1 skipped, 0 failed
Sandbox as games: 0 passed, 1 skipped, 1 failed
";
        assert_eq!(table.to_string(), shown);
        assert_eq!(lacking("`A` does not declare `B`"), Some("B"));
        assert_eq!(lacking("no engine here"), None);
    }
}
