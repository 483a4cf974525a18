//! Counting, from what test programs print.
//!
//! A test that cannot run on this host prints `skipped: NAME: REASON` at the start of a line and returns; a harness that can
//! say `test NAME ... ignored, REASON` says that. Both are counted as skipped, with their reasons. What is ignored as
//! `the child of …` is no test: another test starts it as a process.
//!
//! What fails is run once more, alone. If it passes then, it is told as unsteady, with what it said when it failed: daemons of
//! others on a busy host are not always as quick as they are asked to be. Where many fail, none of them is unsteady.

use std::collections::BTreeMap;
use std::process::{Command, ExitStatus};

use anyhow::Result;

use super::conformance::Table;
use super::{LIMIT, watch};

/// How many lines of a failed test's output are repeated at the end.
const MOST_WORDS: usize = 20;

/// How many tests may be unsteady.
const MOST_UNSTEADY: usize = 3;

/// Something that failed.
#[derive(Debug)]
pub(super) struct Failure {
    /// What the closing lines call it.
    pub(super) name: String,
    /// The last that it said.
    words: Vec<String>,
    /// How it is run once more, if it is a test.
    again: Option<Again>,
}

/// One test, to be run again.
#[derive(Clone, Debug)]
pub(super) struct Again {
    /// The argument that tells cargo of its program.
    pub(super) target: String,
    pub(super) case: String,
    /// Its column in the conformance suite's table.
    column: Option<usize>,
}

/// What happened so far.
#[derive(Debug, Default)]
pub(super) struct Tally {
    /// Below zero for a moment when a skipped test speaks before its program counts it.
    passed: i64,
    failures: Vec<Failure>,
    /// What failed and passed when it was run again.
    unsteady: Vec<Failure>,
    /// Which failure's words are being read.
    speaker: Option<usize>,
    skipped: BTreeMap<String, String>,
    /// What the names of tests are qualified with, such as the user.
    section: String,
    /// The test program that runs, how cargo is told of it, and whether it owes its result.
    program: String,
    target: String,
    owes: bool,
    /// The test that a harness with one thread has begun a line about.
    begun: Option<String>,
    /// How many failures the stages that ended account for.
    accounted: usize,
    /// The conformance suite's cases, and whether the program that runs is one of the suite's.
    conformance: Table,
    conforms: bool,
}

impl Failure {
    /// The last that it said.
    pub(super) fn last_words(&self) -> &[String] {
        &self.words[self.words.len().saturating_sub(MOST_WORDS)..]
    }
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
        self.hear(line);
        if let Some((program, target)) = program(line) {
            self.begin(program);
            self.target = target;
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

    /// Keeps what a failed test said: harnesses repeat it below `---- NAME …----`, when all have ended.
    fn hear(&mut self, line: &str) {
        if let Some(case) = line.strip_prefix("---- ").and_then(|line| line.strip_suffix("----")) {
            let case = case.trim_end();
            let name = self.qualified(case.strip_suffix(" stdout").unwrap_or(case));
            self.speaker = self.failures.iter().position(|failure| failure.name == name);
        } else if line == "failures:" || line.starts_with("test result: ") {
            self.speaker = None;
        } else if let Some(speaker) = self.speaker.filter(|_| !line.is_empty()) {
            self.failures[speaker].words.push(line.to_owned());
        }
    }

    fn outcome(&mut self, case: String, outcome: &str) {
        let name = self.qualified(&case);
        if outcome == "FAILED" {
            let column = self.conforms.then(|| self.conformance.column()).flatten();
            let again = Again { target: self.target.clone(), case: case.clone(), column };
            self.failures.push(Failure { name, words: Vec::new(), again: Some(again) });
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

    /// Runs a stage's command and reads what it prints; then once more, for each test that failed.
    pub(super) fn watch(&mut self, what: &str, command: impl Fn(Option<&Again>) -> Result<Command>) {
        let before = self.failures.len();
        let ended = command(None).and_then(|mut all| watch::run(&mut all, LIMIT, |line| self.read(line)));
        self.stage(ended, what);
        let tests = self.failures.split_off(before);
        let may = self.unsteady.len() + tests.len() <= MOST_UNSTEADY;
        for failure in tests {
            match &failure.again {
                Some(again) if may && self.passes(&failure.name, command(Some(again))) => {
                    self.passed += 1;
                    again.column.into_iter().for_each(|column| self.conformance.mended(column, &again.case));
                    self.unsteady.push(failure);
                }
                _ => self.failures.push(failure),
            }
        }
        self.accounted = self.failures.len();
    }

    /// Whether a test that failed passes this time.
    fn passes(&self, name: &str, command: Result<Command>) -> bool {
        if !cfg!(test) {
            println!("\nonce more, alone: {name}");
        }
        let mut second = Self { section: self.section.clone(), ..Self::default() };
        let ended = command.and_then(|mut once| watch::run(&mut once, LIMIT, |line| second.read(line)));
        second.stage(ended, name);
        second.passed > 0 && second.failures.is_empty()
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
        self.failures.push(Failure { name: what, words: Vec::new(), again: None });
    }

    /// Something was left out.
    pub(super) fn skip(&mut self, name: &str, reason: &str) {
        self.note_skip(name.to_owned(), reason);
    }

    /// What failed.
    pub(super) fn failures(&self) -> &[Failure] {
        &self.failures
    }

    /// What failed, and passed when it was run again.
    pub(super) fn unsteady(&self) -> &[Failure] {
        &self.unsteady
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
            self.fail(self.qualified("ended without a result"));
        }
        self.program.clear();
        self.target.clear();
        (self.conforms, self.begun, self.speaker) = (false, None, None);
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

/// The program that cargo says it runs now, and how cargo is told to run only this one.
fn program(line: &str) -> Option<(&str, String)> {
    let line = line.trim_start();
    if let Some(package) = line.strip_prefix("Doc-tests ") {
        return Some((package, "--doc".to_owned()));
    }
    let (source, path) = line.strip_prefix("Running ")?.strip_suffix(')')?.rsplit_once(" (")?;
    let file = path.rsplit_once("/deps/").or_else(|| path.rsplit_once("/examples/"))?.1;
    let name = file.rsplit_once('-').map_or(file, |(name, _hash)| name);
    let target = match source.strip_prefix("unittests ") {
        None => format!("--test={name}"),
        Some(lib) if lib.ends_with("lib.rs") => "--lib".to_owned(),
        Some(_) => "--bins".to_owned(),
    };
    Some((name, target))
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

    fn names(tally: &Tally) -> Vec<&str> {
        tally.failures().iter().map(|failure| &*failure.name).collect()
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
        assert_eq!(names(&tally), ["carthage_runtime: a::c"]);
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
    fn keeps_what_the_failed_ones_said() {
        let tally = read(
            "\
     Running tests/x.rs (target/debug/deps/x-0123)
test a ... FAILED
test b ... ok
test c ... FAILED
successes:
---- b stdout ----
all is well
failures:
---- a stdout ----
assertion failed
  left: 1

---- c ----
no such thing

failures:
    a
    c
test result: FAILED. 1 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s",
        );
        let words: Vec<_> = tally.failures().iter().map(Failure::last_words).collect();
        assert_eq!(words, [&["assertion failed", "  left: 1"][..], &["no such thing"]]);
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
        assert_eq!(names(&tally), ["conformance of Toy: a::x"]);
        assert_eq!(tally.line(), "0 passed, 1 failed, 1 skipped");
        assert!(tally.conformance().to_string().ends_with("Toy: 0 passed, 1 skipped, 1 failed\n"));
    }

    /// A program of tests that fail, all or the first time only.
    fn program_of(tests: &[&str], again: bool) -> Tally {
        let mut tally = Tally::default();
        let list = |tests: &[&str], outcome: &str| {
            let lines = tests.iter().map(|test| format!("echo 'test {test} ... {outcome}'; "));
            lines.collect::<String>()
        };
        tally.watch("x", |once| {
            let script = match once {
                None => {
                    let all = list(tests, "FAILED");
                    format!("echo '     Running tests/x.rs (t/deps/x-01)'; {all} echo 'test result: FAILED. 0 passed'; exit 1")
                }
                Some(once) if again => {
                    assert_eq!(once.target, "--test=x");
                    let one = list(&[&once.case], "ok");
                    format!("{one} echo 'test result: ok. 1 passed'")
                }
                Some(once) => format!("{} exit 1", list(&[&once.case], "FAILED")),
            };
            let mut command = Command::new("sh");
            command.args(["-c", &script]);
            Ok(command)
        });
        tally
    }

    #[test]
    fn what_passes_when_it_is_run_again_is_unsteady() {
        let tally = program_of(&["a", "b"], true);
        assert_eq!(tally.line(), "2 passed, 0 failed, 0 skipped");
        assert_eq!(tally.unsteady().len(), 2);
    }

    #[test]
    fn what_fails_again_or_with_many_others_has_failed() {
        assert_eq!(names(&program_of(&["a"], false)), ["x: a"]);
        assert_eq!(program_of(&["a", "b", "c", "d"], true).line(), "0 passed, 4 failed, 0 skipped");
    }

    #[test]
    fn a_crash_is_a_failure() {
        let tally = read("     Running tests/x.rs (target/debug/deps/x-0123)\ntest a ... ok");
        assert_eq!(names(&tally), ["x: ended without a result"]);
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
        assert_eq!(names(&tally), ["cargo test: exit status: 1"]);
    }
}
