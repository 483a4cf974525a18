//! Counting, from what test programs print.
//!
//! A test that cannot run on this host prints `skipped: NAME: REASON` at the start of a line and returns; a harness that can
//! say `test NAME ... ignored, REASON` says that. Both are counted as skipped, with their reasons. What is ignored as
//! `the child of …` is no test: another test starts it as a process.

use std::collections::BTreeMap;
use std::process::{Command, ExitStatus};

use anyhow::Result;

use super::conformance::Table;
use super::{LIMIT, watch};

/// What happened so far.
#[derive(Debug, Default)]
pub(super) struct Tally {
    /// Below zero for a moment when a skipped test speaks before its program counts it.
    passed: i64,
    failures: Vec<String>,
    skipped: BTreeMap<String, String>,
    /// What the names of tests are qualified with, such as the user.
    section: String,
    /// The test program that runs, and whether it owes its result.
    program: String,
    owes: bool,
    /// The test that a harness with one thread has begun a line about.
    begun: Option<String>,
    /// How many failures the stages that ended account for.
    accounted: usize,
    /// The conformance suite's cases, and whether the program that runs is one of the suite's.
    conformance: Table,
    conforms: bool,
}

impl Tally {
    /// From here on, names are of this part of the run.
    pub(super) fn section(&mut self, section: &str) {
        self.settle();
        self.section = section.to_owned();
    }

    /// A test program begins.
    pub(super) fn begin(&mut self, program: &str) {
        self.settle();
        self.program = program.to_owned();
        self.owes = true;
    }

    /// One line of output.
    pub(super) fn read(&mut self, line: &str) {
        if let Some(program) = program(line) {
            self.begin(program);
        } else if let Some(implementation) = Table::implementation(line) {
            self.program = format!("conformance of {implementation}");
            self.conforms = true;
            self.conformance.begin(implementation, &self.section);
        } else if let Some(result) = line.strip_prefix("test result: ") {
            self.owes = false;
            self.passed += number_before(result, " passed");
        } else if let Some(skip) = skip(line) {
            let (case, reason) = skip.split_once(": ").unwrap_or((skip, ""));
            if self.conforms {
                self.conformance.skipped(case, reason);
            }
            let name = self.qualified(case);
            if self.note_skip(name, reason) {
                // It returned without a failure, so its program counts it as passed.
                self.passed -= 1;
            }
        } else if let Some((name, outcome)) =
            line.strip_prefix("test ").and_then(|line| line.rsplit_once(" ... "))
        {
            // Some harnesses pad names.
            let name = name.trim_end().to_owned();
            self.outcome(name, outcome);
        } else if let (Some(name), "ok" | "FAILED") = (&self.begun, line) {
            // Somebody has written between the test's name and how it ended.
            self.outcome(name.clone(), line);
        }
    }

    fn outcome(&mut self, case: String, outcome: &str) {
        let name = self.qualified(&case);
        if outcome == "FAILED" {
            self.failures.push(name);
        } else if let Some(reason) = outcome.strip_prefix("ignored") {
            let reason = reason.trim_start_matches(", ");
            if !reason.starts_with("the child of ") {
                self.note_skip(name, reason);
            }
        }
        match outcome {
            "ok" if self.conforms => self.conformance.passed(&case),
            "FAILED" if self.conforms => self.conformance.failed(&case),
            _ => {}
        }
        self.begun = (!matches!(outcome, "ok" | "FAILED")).then_some(case);
    }

    /// Runs a command and reads what it prints.
    pub(super) fn watch(&mut self, command: &mut Command, what: &str) {
        let ended = watch::run(command, LIMIT, |line| self.read(line));
        self.stage(ended, what);
    }

    /// A stage ended: it failed if it could not be run, or if it failed without a test that did.
    fn stage(&mut self, ended: Result<ExitStatus>, what: &str) {
        self.settle();
        match ended {
            Err(error) => self.fail(format!("{}: {error:#}", self.qualified(what))),
            Ok(status) if !status.success() && self.failures.len() == self.accounted => {
                self.fail(format!("{}: {status}", self.qualified(what)));
            }
            Ok(_) => {}
        }
        self.accounted = self.failures.len();
    }

    /// Something failed that is not a test.
    pub(super) fn fail(&mut self, what: String) {
        self.failures.push(what);
    }

    /// Something was left out.
    pub(super) fn skip(&mut self, name: &str, reason: &str) {
        self.note_skip(name.to_owned(), reason);
    }

    /// What failed.
    pub(super) fn failures(&self) -> &[String] {
        &self.failures
    }

    /// What was left out, and why.
    pub(super) fn skipped(&self) -> impl Iterator<Item = (&str, &str)> {
        self.skipped.iter().map(|(name, reason)| (name.as_str(), reason.as_str()))
    }

    /// The conformance suite's cases by implementation.
    pub(super) fn conformance(&self) -> &Table {
        &self.conformance
    }

    /// The closing line.
    pub(super) fn line(&self) -> String {
        format!("{} passed, {} failed, {} skipped", self.passed, self.failures.len(), self.skipped.len())
    }

    /// A program that ended without its result has crashed.
    fn settle(&mut self) {
        if std::mem::take(&mut self.owes) {
            let program = self.qualified("ended without a result");
            self.failures.push(program);
        }
        self.program.clear();
        (self.conforms, self.begun) = (false, None);
    }

    fn note_skip(&mut self, name: String, reason: &str) -> bool {
        let reason = if reason.is_empty() { "no reason given" } else { reason };
        self.skipped.insert(name, reason.to_owned()).is_none()
    }

    fn qualified(&self, name: &str) -> String {
        [self.section.as_str(), self.program.as_str(), name]
            .into_iter()
            .filter(|part| !part.is_empty())
            .collect::<Vec<_>>()
            .join(": ")
    }
}

/// The program that cargo says it runs now.
fn program(line: &str) -> Option<&str> {
    let line = line.trim_start();
    if let Some(package) = line.strip_prefix("Doc-tests ") {
        return Some(package);
    }
    let path = line.strip_prefix("Running ")?.strip_suffix(')')?.rsplit_once(" (")?.1;
    let file = path.rsplit_once("/deps/")?.1;
    Some(file.rsplit_once('-').map_or(file, |(name, _hash)| name))
}

/// What stands after `skipped: `, at the start of a line or where a harness with one thread has begun one.
fn skip(line: &str) -> Option<&str> {
    let begun = || line.strip_prefix("test ")?.split_once(" ... skipped: ").map(|(_, skip)| skip);
    line.strip_prefix("skipped: ").or_else(begun)
}

fn number_before(text: &str, word: &str) -> i64 {
    let digits = text.split(word).next().and_then(|before| before.rsplit(' ').next());
    digits.and_then(|digits| digits.parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(lines: &str) -> Tally {
        let mut tally = Tally::default();
        lines.lines().for_each(|line| tally.read(line));
        tally.settle();
        tally
    }

    #[test]
    fn counts_what_programs_say() {
        let tally = read(
            "\
     Running unittests src/lib.rs (target/debug/deps/carthage_runtime-0123)
test a::b ... ok
test a::c ... FAILED
test a::d ... ignored, needs a moon
test a::f ... ignored, the child of `a::b`
skipped: a::e: no VLANs here
test a::e ... ok
test a::g ... skipped: a::g: one thread
test result: FAILED. 3 passed; 1 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.00s
   Doc-tests carthage
test src/lib.rs - main (line 9) ... ok
test result: ok. 1 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s",
        );
        assert_eq!(tally.line(), "2 passed, 1 failed, 3 skipped");
        assert_eq!(tally.failures(), ["carthage_runtime: a::c"]);
        let skipped: Vec<_> = tally.skipped().collect();
        assert_eq!(
            skipped,
            [
                ("carthage_runtime: a::d", "needs a moon"),
                ("carthage_runtime: a::e", "no VLANs here"),
                ("carthage_runtime: a::g", "one thread")
            ]
        );
    }

    #[test]
    fn what_is_written_between_a_name_and_its_end() {
        let tally = read(
            "\
     Running tests/toy/main.rs (target/debug/deps/toy-0123)
conformance: Toy
test a::x ... 
thread 'main' panicked at x.rs:1:1:
FAILED
test a::y ... skipped: a::y: `Toy` does not declare `Links`
ok
test result: FAILED. 1 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s",
        );
        assert_eq!(tally.failures(), ["conformance of Toy: a::x"]);
        assert_eq!(tally.line(), "0 passed, 1 failed, 1 skipped");
        assert!(tally.conformance().to_string().ends_with("Toy: 0 passed, 1 skipped, 1 failed\n"));
    }

    #[test]
    fn a_crash_is_a_failure() {
        let tally = read("     Running tests/x.rs (target/debug/deps/x-0123)\ntest a ... ok");
        assert_eq!(tally.failures(), ["x: ended without a result"]);
    }

    #[test]
    fn other_users_are_other_tests() {
        let mut tally = Tally::default();
        for section in ["", "as games"] {
            tally.section(section);
            tally.begin("x");
            tally.read("skipped: a: why");
            tally.read("test result: ok. 1 passed; 0 failed");
        }
        assert_eq!(tally.line(), "0 passed, 0 failed, 2 skipped");
    }

    #[test]
    fn a_stage_that_fails_without_a_test_is_a_failure() {
        let mut tally = Tally::default();
        tally.stage(Ok(std::os::unix::process::ExitStatusExt::from_raw(256)), "cargo test");
        assert_eq!(tally.failures(), ["cargo test: exit status: 1"]);
    }
}
