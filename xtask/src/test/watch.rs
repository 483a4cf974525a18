//! A command whose lines are shown and read as they come, and that ends in time.

use std::io::{BufRead, BufReader, PipeReader};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::traces;

/// Runs it, with its two outputs as one; each line is printed and given to `each`.
pub(super) fn run(command: &mut Command, limit: Duration, mut each: impl FnMut(&str)) -> Result<ExitStatus> {
    let shown = command.get_program().to_string_lossy().into_owned();
    let (reader, writer) = std::io::pipe()?;
    command.stdin(Stdio::null()).stdout(writer.try_clone()?).stderr(writer);
    let mut child = command.spawn().with_context(|| format!("cannot run `{shown}`"))?;
    // The command holds the pipe's writing ends, of which this process must have none, or there is no end to read.
    command.stdout(Stdio::null()).stderr(Stdio::null());

    let lines = lines(reader);
    let deadline = Instant::now() + limit;
    loop {
        match lines.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
            Ok(line) => {
                // Tests of this run programs that fail on purpose; who reads the tests' output would take it for theirs.
                if !cfg!(test) {
                    println!("{line}");
                }
                each(&line);
            }
            Err(RecvTimeoutError::Timeout) => {
                end_tree(child.id());
                child.wait()?;
                bail!("`{shown}` did not end within {} s; it was killed", limit.as_secs());
            }
            Err(RecvTimeoutError::Disconnected) => return Ok(child.wait()?),
        }
    }
}

/// The lines of a pipe, read in a thread: a receiver can wait with a deadline.
fn lines(reader: PipeReader) -> mpsc::Receiver<String> {
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        for line in BufReader::new(reader).split(b'\n') {
            let Ok(line) = line else { return };
            if sender.send(String::from_utf8_lossy(&line).into_owned()).is_err() {
                return;
            }
        }
    });
    receiver
}

/// Kills a process and all that it started, parents first, so that nothing is started again.
fn end_tree(root: u32) {
    let parents = traces::parents();
    let mut doomed = vec![root];
    let mut next = 0;
    while let Some(parent) = doomed.get(next).copied() {
        doomed.extend(parents.iter().filter(|(_, of)| *of == parent).map(|(pid, _)| *pid));
        next += 1;
    }
    for pid in doomed {
        // One that ended by itself meanwhile is what is wanted.
        let _ = kill(Pid::from_raw(pid.cast_signed()), Signal::SIGKILL);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_outputs_are_read_and_the_status_told() {
        let mut seen = Vec::new();
        let status = run(
            Command::new("sh").args(["-c", "echo a; echo b >&2; exit 3"]),
            Duration::from_secs(60),
            |line| {
                seen.push(line.to_owned());
            },
        )
        .unwrap();
        assert_eq!((seen, status.code()), (vec!["a".to_owned(), "b".to_owned()], Some(3)));
    }

    #[test]
    fn what_hangs_is_ended_with_its_children() {
        let mut child = 0;
        let error = run(
            Command::new("sh").args(["-c", "sleep 1000 & echo $!; wait"]),
            Duration::from_millis(300),
            |line| child = line.parse().unwrap(),
        )
        .unwrap_err();
        assert!(error.to_string().contains("did not end"), "{error}");
        let deadline = Instant::now() + Duration::from_secs(10);
        // Whoever adopts the orphan may reap it late: a zombie has ended, too.
        while traces::alive(child) {
            assert!(Instant::now() < deadline, "the child lives");
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}
