//! Running the program under test, and looking at how it ended.

use std::io::{BufRead, BufReader, Read, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStderr, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Instant;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::wait::LONG;

/// Where the programs of this package are; [`programs!`](crate::programs) finds them.
#[derive(Clone, Debug)]
pub struct Programs {
    /// Deploys the layout under test.
    pub testlab: PathBuf,
    /// Runs inside its machines.
    pub page: PathBuf,
}

/// The programs as cargo built them; beside the test, if it was copied elsewhere together with them.
#[macro_export]
macro_rules! programs {
    () => {
        $crate::Programs {
            testlab: $crate::program::find("testlab", env!("CARGO_BIN_EXE_testlab")),
            page: $crate::program::find("testlab-page", env!("CARGO_BIN_EXE_testlab-page")),
        }
    };
}

/// A program: as `CARTHAGE_E2E_` and its name say, or else beside this one, or else where it was built.
pub fn find(name: &str, built: &str) -> PathBuf {
    let variable = format!("CARTHAGE_E2E_{}", name.to_uppercase().replace('-', "_"));
    let beside =
        std::env::current_exe().ok().map(|test| test.with_file_name(name)).filter(|path| path.is_file());
    std::env::var_os(variable).map(PathBuf::from).or(beside).unwrap_or_else(|| built.into())
}

/// A program that runs, its output read line by line as it comes.
pub struct Program {
    child: Child,
    said: String,
    lines: Receiver<String>,
    seen: Vec<String>,
    errors: std::thread::JoinHandle<String>,
}

impl Program {
    /// Starts it.
    ///
    /// # Panics
    /// When it cannot be started.
    pub fn start(mut command: Command, input: Option<Vec<u8>>) -> Self {
        let said = format!("{command:?}");
        let stdin = if input.is_some() { Stdio::piped() } else { Stdio::null() };
        command.stdin(stdin).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap_or_else(|error| panic!("{said}: {error}"));
        if let (Some(mut stdin), Some(input)) = (child.stdin.take(), input) {
            // The program need not read all of it.
            std::thread::spawn(move || stdin.write_all(&input));
        }
        let (sender, lines) = channel();
        let stdout = child.stdout.take().unwrap();
        std::thread::spawn(move || {
            let mut reader = BufReader::new(stdout);
            let mut line = Vec::new();
            while reader.read_until(b'\n', &mut line).is_ok_and(|read| read > 0) {
                if sender.send(String::from_utf8_lossy(&line).into_owned()).is_err() {
                    return;
                }
                line.clear();
            }
        });
        let errors = child.stderr.take().map(|errors| std::thread::spawn(move || read_all(errors))).unwrap();
        Self { child, said, lines, seen: Vec::new(), errors }
    }

    /// Its process.
    pub fn pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }

    /// Sends it a signal.
    ///
    /// # Panics
    /// When it has ended.
    pub fn signal(&self, signal: Signal) {
        kill_process(self.pid(), signal).unwrap();
    }

    /// Reads until a line of JSON that `wanted` finds something in.
    ///
    /// # Panics
    /// When the program ends, or takes too long, before it has written one.
    #[track_caller]
    pub fn until<T>(&mut self, what: &str, wanted: impl Fn(&Value) -> Option<T>) -> T {
        self.find(what, |line| serde_json::from_str(line).ok().and_then(|value| wanted(&value)))
    }

    /// Reads until this line.
    ///
    /// # Panics
    /// As [`Program::until`].
    #[track_caller]
    pub fn line(&mut self, wanted: &str) {
        self.find(wanted, |line| (line.trim_end() == wanted).then_some(()));
    }

    #[track_caller]
    fn find<T>(&mut self, what: &str, wanted: impl Fn(&str) -> Option<T>) -> T {
        let deadline = Instant::now() + LONG;
        loop {
            match self.lines.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(line) => {
                    let found = wanted(&line);
                    self.seen.push(line);
                    if let Some(found) = found {
                        return found;
                    }
                }
                Err(error) => panic!("{}: no {what} ({error}) among:\n{}", self.said, self.seen.concat()),
            }
        }
    }

    /// Waits until it ends.
    ///
    /// # Panics
    /// When it takes too long.
    #[track_caller]
    pub fn ended(mut self) -> Ended {
        let deadline = Instant::now() + LONG;
        let mut in_time = true;
        loop {
            match self.lines.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(line) => self.seen.push(line),
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => {
                    in_time = false;
                    self.child.kill().unwrap();
                    break;
                }
            }
        }
        let status = self.child.wait().unwrap();
        let stdout = self.seen.concat();
        assert!(in_time, "{} has not ended after {LONG:?}; it wrote:\n{stdout}", self.said);
        Ended { status, stdout, stderr: self.errors.join().unwrap(), said: self.said }
    }
}

fn read_all(mut from: ChildStderr) -> String {
    let mut bytes = Vec::new();
    // A stream that breaks has ended.
    let _ = from.read_to_end(&mut bytes);
    String::from_utf8_lossy(&bytes).into_owned()
}

/// A program that has ended.
#[derive(Debug)]
pub struct Ended {
    /// How.
    pub status: ExitStatus,
    /// All that it wrote to standard output.
    pub stdout: String,
    /// All that it wrote to standard error.
    pub stderr: String,
    said: String,
}

impl Ended {
    /// Makes sure that it ended with this exit status.
    ///
    /// # Panics
    /// When it did not; all that it wrote is shown.
    #[track_caller]
    pub fn code(self, code: i32) -> Self {
        assert!(self.status.code() == Some(code), "expected exit status {code}: {}", self.all());
        self
    }

    /// Makes sure that it wrote this somewhere.
    ///
    /// # Panics
    /// When it did not.
    #[track_caller]
    pub fn says(self, text: &str) -> Self {
        assert!(
            self.stdout.contains(text) || self.stderr.contains(text),
            "expected {text:?}: {}",
            self.all()
        );
        self
    }

    /// Makes sure that it did not write this anywhere.
    ///
    /// # Panics
    /// When it did.
    #[track_caller]
    pub fn does_not_say(self, text: &str) -> Self {
        assert!(
            !self.stdout.contains(text) && !self.stderr.contains(text),
            "unexpected {text:?}: {}",
            self.all()
        );
        self
    }

    /// What it did and wrote, for messages.
    pub fn all(&self) -> String {
        let Self { status, stdout, stderr, said } = self;
        format!("{said}\nended with {status}\n--- stdout\n{stdout}--- stderr\n{stderr}---")
    }

    /// The lines of its JSON, after the first, which tells the version.
    ///
    /// # Panics
    /// When they are not JSON, or the first is not the version.
    #[track_caller]
    pub fn json(&self) -> Vec<Value> {
        let parse =
            |line: &str| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}: {}", self.all()));
        let mut lines = self.stdout.lines().map(parse);
        if let Some(first) = lines.next() {
            let first: Value = first;
            assert_eq!(
                (&first["carthage"], &first["layout"]),
                (&1.into(), &"testlab".into()),
                "{}",
                self.all()
            );
        }
        lines.collect()
    }

    /// The one line of JSON about this event.
    ///
    /// # Panics
    /// When there is none.
    #[track_caller]
    pub fn event(&self, event: &str) -> Value {
        let found = self.json().into_iter().find(|line| line["event"] == event);
        found.unwrap_or_else(|| panic!("no `{event}`: {}", self.all()))
    }

    /// The steps of a plan, as `ACTION THING: WHY`.
    #[track_caller]
    pub fn steps(&self) -> Vec<String> {
        self.json().iter().filter(|line| line["event"] == "step").map(step).collect()
    }

    /// What was done according to the report, as `ACTION THING: WHY`.
    #[track_caller]
    pub fn done(&self) -> Vec<String> {
        self.event("report")["done"].as_array().unwrap().iter().map(step).collect()
    }
}

fn step(step: &Value) -> String {
    let text = |key: &str| step[key].as_str().unwrap_or_default().to_owned();
    format!("{} {}: {}", text("action"), text("thing"), text("why"))
}
