//! The lab's program, run as a user runs it, each time with a state directory of its own.

use std::fs::File;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};
use serde_json::Value;

/// How long anything may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// A lab that nobody else sees; what is left of it goes when this is dropped.
pub struct Lab {
    base: tempfile::TempDir,
}

/// What a command said, and how it ended.
pub struct Said {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Said {
    fn of(output: Output) -> Self {
        use std::os::unix::process::ExitStatusExt;
        let code = output.status.code().or_else(|| output.status.signal().map(|signal| -signal));
        Self {
            code: code.unwrap(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// Fails unless it ended like this; then what it said matters.
    #[track_caller]
    pub fn ended(self, code: i32) -> Self {
        assert_eq!(self.code, code, "out: {}\nerr: {}", self.out, self.err);
        self
    }

    /// Standard output, line by line, after the version's line.
    #[track_caller]
    pub fn json(&self) -> Vec<Value> {
        let mut lines = self.out.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        assert_eq!(lines.next().unwrap()["carthage"], 1);
        lines.collect()
    }
}

impl Lab {
    pub fn new() -> Self {
        Self { base: tempfile::tempdir().unwrap() }
    }

    /// The directory that is given to the program; it is not there yet.
    pub fn dir(&self) -> PathBuf {
        self.base.path().join("state")
    }

    /// Everything that is there of it.
    pub fn left(&self) -> Vec<PathBuf> {
        std::fs::read_dir(self.base.path()).unwrap().map(|entry| entry.unwrap().path()).collect()
    }

    pub fn command(&self, args: &[&str]) -> Command {
        // Beside the test, if both were copied to where another user can run them.
        let beside = std::env::current_exe().unwrap().with_file_name("lab");
        let built = PathBuf::from(env!("CARGO_BIN_EXE_lab"));
        let mut command = Command::new(if beside.is_file() { beside } else { built });
        let given = std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("CARTHAGE_"));
        for (name, _) in given {
            command.env_remove(name);
        }
        command.args(args).env("CARTHAGE_STATE_DIR", self.dir()).stdin(Stdio::null());
        command
    }

    /// Runs a command to its end.
    pub fn run(&self, args: &[&str]) -> Said {
        Said::of(self.command(args).output().unwrap())
    }

    /// Runs a command to its end, with this on its standard input.
    pub fn feed(&self, args: &[&str], input: &[u8]) -> Said {
        let mut child = self.start(args, Stdio::piped());
        child.stdin.take().unwrap().write_all(input).unwrap();
        Said::of(child.wait_with_output().unwrap())
    }

    /// Starts a command whose output is read.
    pub fn start(&self, args: &[&str], stdin: Stdio) -> Child {
        self.command(args).stdin(stdin).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        if self.dir().exists() {
            let said = self.run(&["destroy", "--yes"]);
            assert!(said.code == 0 || std::thread::panicking(), "{}{}", said.out, said.err);
        }
    }
}

/// Sends a signal to a program.
pub fn signal(child: &Child, signal: Signal) {
    kill_process(Pid::from_child(child), signal).unwrap();
}

/// A program on a terminal.
pub struct Terminal {
    master: File,
    pub child: Child,
    seen: String,
    comes: Receiver<Vec<u8>>,
}

impl Terminal {
    /// Starts a command on a terminal of this size.
    pub fn start(mut command: Command, rows: u16, columns: u16) -> Self {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&master).unwrap();
        unlockpt(&master).unwrap();
        let name = ptsname(&master, Vec::new()).unwrap();
        let slave = File::options().read(true).write(true).open(Path::new(name.to_str().unwrap())).unwrap();
        let mut terminal = Self {
            child: command
                .stdin(slave.try_clone().unwrap())
                .stdout(slave.try_clone().unwrap())
                .stderr(slave.try_clone().unwrap())
                .env("TERM", "xterm")
                .spawn()
                .unwrap(),
            master: File::from(master),
            seen: String::new(),
            comes: channel().1,
        };
        terminal.resize(rows, columns);
        drop((command, slave));
        let (send, comes) = channel();
        let mut master = terminal.master.try_clone().unwrap();
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            // Reading fails when the program has closed its end.
            while let Ok(count) = master.read(&mut buffer) {
                if count == 0 || send.send(buffer[..count].to_vec()).is_err() {
                    break;
                }
            }
        });
        terminal.comes = comes;
        terminal
    }

    /// Gives the terminal another size, and tells the program as the kernel would if it controlled it.
    pub fn resize(&mut self, rows: u16, columns: u16) {
        let size = Winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
        tcsetwinsize(&self.master, size).unwrap();
        signal(&self.child, Signal::WINCH);
    }

    pub fn write(&mut self, text: &str) {
        self.master.write_all(text.as_bytes()).unwrap();
    }

    /// Waits until this is on the screen, after what was waited for before.
    #[track_caller]
    pub fn wait_for(&mut self, text: &str) -> String {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(at) = self.seen.find(text) {
                let rest = self.seen.split_off(at + text.len());
                return std::mem::replace(&mut self.seen, rest);
            }
            match self.comes.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(bytes) => self.seen += &String::from_utf8_lossy(&bytes),
                Err(error) => panic!("{text:?} does not come ({error}): {}", self.seen),
            }
        }
    }

    /// Waits for the program's end: its exit status, and what it said last.
    #[track_caller]
    pub fn end(mut self) -> (i32, String) {
        let deadline = Instant::now() + PATIENCE;
        while let Ok(bytes) = self.comes.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
            self.seen += &String::from_utf8_lossy(&bytes);
        }
        assert!(Instant::now() < deadline, "it does not end: {}", self.seen);
        (self.child.wait().unwrap().code().unwrap(), std::mem::take(&mut self.seen))
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // Only a test that fails leaves it running.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}
