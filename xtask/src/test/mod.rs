//! `cargo xtask test`: every test, as root and as an ordinary user, and whether they left anything behind.

mod build;
mod conformance;
pub(crate) mod engines;
mod ground;
mod ordinary;
mod tally;
mod traces;
mod virtual_machines;
mod watch;

use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use nix::unistd::geteuid;

use engines::Engines;
use ground::Ground;
use tally::{Again, Failure, Tally};
use traces::Traces;

/// The longest that one stage may take: what hangs is then ended. All suites as root are one stage.
const LIMIT: Duration = Duration::from_secs(45 * 60);

/// What continuous integration may skip, as the beginning of the reason. Everything else has to run there. What only root can do
/// was done by root in the same run; a language server is no part of the pinned toolchain.
const EXCUSED: &[&str] = &["only root can ", "rust-analyzer is not installed"];

/// Whether continuous integration may skip a test for this reason: what an implementation does not declare is no test of its own.
fn is_excused(reason: &str) -> bool {
    conformance::lacking(reason).is_some()
        || reason.ends_with("gives nothing a name that others could take")
        || EXCUSED.iter().any(|excuse| reason.starts_with(excuse))
}

/// Runs everything and prints `N passed, N failed, N skipped` as the last line.
pub(crate) fn run() -> Result<()> {
    let clock = Clock(Instant::now());
    let ground = Ground::new()?;
    let mut tally = Tally::default();

    clock.stage("what this host is");
    println!("{}", ground.describe());
    clock.stage("build the tests");
    let binaries = build::tests()?;
    let before = Traces::now(ground.base(), &binaries);

    clock.stage("engines");
    let engines = Engines::start(ground.base())?;

    clock.stage(if geteuid().is_root() { "tests, as root" } else { "tests" });
    tally.watch("cargo test", |once| {
        let mut tests = cargo("test");
        tests.arg("--workspace");
        match once {
            None => tests.args(["--lib", "--bins", "--tests", "--examples", "--no-fail-fast"]),
            Some(once) => tests.arg(&once.target),
        };
        tests.args(["--", "--show-output"]);
        narrow(&mut tests, once);
        ground.prepare(&mut tests);
        engines.iter().for_each(|engines| engines.tell(&mut tests));
        Ok(tests)
    });

    clock.stage("examples in the documentation");
    tally.watch("cargo test --doc", |once| {
        let mut examples = cargo("test");
        examples.args(["--workspace", "--doc", "--no-fail-fast", "--"]);
        narrow(&mut examples, once);
        ground.prepare(&mut examples);
        Ok(examples)
    });

    if let Some(engines) = engines {
        clock.stage("tests on virtual machines");
        // Whatever comes of it: the engines are stopped, and what was found is told.
        if let Err(error) = virtual_machines::run(&engines, &ground, &mut tally) {
            tally.fail(format!("tests on virtual machines: {error:#}"));
        }
        engines.stop()?;
        clock.stage("tests, as an ordinary user");
        ordinary::run(&ground, &binaries, &mut tally)?;
    } else {
        tally.skip("everything, as root", "this is not root");
    }

    clock.stage("traces");
    for trace in before.left(ground.base(), &binaries) {
        tally.fail(format!("left behind: {trace}"));
    }
    ground.close()?;

    clock.stage("the conformance suite, by implementation");
    print!("{}", tally.conformance());
    clock.stage("the end");
    finish(&tally)
}

/// Installs what the tests need, as far as this user can.
pub(crate) fn install() -> Result<()> {
    if !geteuid().is_root() {
        println!("nothing is installed: this is not root");
        return Ok(());
    }
    engines::install()
}

/// Runs a command that finds the container engines of the tests.
pub(crate) fn with_containers(words: &[std::ffi::OsString]) -> Result<()> {
    let [program, arguments @ ..] = words else { bail!("say which command") };
    let dir = tempfile::Builder::new().prefix("carthage-engines-").tempdir()?;
    let containers = engines::containers::Containers::start(dir.path())?;
    let mut command = Command::new(program);
    containers.tell(command.args(arguments));
    let status = command.status();
    containers.stop()?;
    let status = status.with_context(|| format!("cannot run `{}`", program.display()))?;
    if status.success() { Ok(()) } else { bail!("`{}`: {status}", program.display()) }
}

fn finish(tally: &Tally) -> Result<()> {
    for (name, reason) in tally.skipped() {
        println!("skipped: {name}: {reason}");
    }
    for failure in tally.unsteady() {
        tell("unsteady, it passed when it was run again alone", failure);
    }
    for failure in tally.failures() {
        tell("failed", failure);
    }
    let strict = std::env::var("CI").is_ok_and(|value| value == "true");
    let refused: Vec<_> = tally.skipped().filter(|(_, reason)| strict && !is_excused(reason)).collect();
    for (name, reason) in &refused {
        println!("should not have been skipped: {name}: {reason}");
    }
    println!("{}", tally.line());
    if !tally.failures().is_empty() {
        bail!("tests failed");
    }
    if !refused.is_empty() {
        bail!(
            "with CI=true, {} of the skipped tests should have run: see EXCUSED in xtask/src/test/mod.rs",
            refused.len()
        );
    }
    Ok(())
}

fn tell(what: &str, failure: &Failure) {
    println!("{what}: {}", failure.name);
    failure.last_words().iter().for_each(|line| println!("    {line}"));
}

/// Has a test program run this one only.
fn narrow(program: &mut Command, once: Option<&Again>) {
    if let Some(once) = once {
        program.args(["--exact", &once.case]);
    }
}

/// A cargo command, by the cargo that runs this.
pub(crate) fn cargo(verb: &str) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.arg(verb).current_dir(crate::root()).env("CARGO_TERM_COLOR", "never");
    command
}

/// Stages, with the time since the start.
struct Clock(Instant);

impl Clock {
    fn stage(&self, title: &str) {
        println!("\n==> [{:6.1} s] {title}", self.0.elapsed().as_secs_f64());
    }
}

/// Runs a command that has to succeed.
pub(crate) fn must(command: &mut Command) -> Result<()> {
    let shown = format!("{command:?}");
    let status = command.status().with_context(|| format!("cannot run {shown}"))?;
    if !status.success() {
        bail!("{shown}: {status}");
    }
    Ok(())
}
