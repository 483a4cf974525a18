//! The logs of runs: every event of a run, with the output of its commands, in a file of its own. Here they are read; who writes them
//! is [`logged`](super::logged).

use std::io::ErrorKind as Io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::services::whose;
use super::{Report, Selection};
use crate::error::{Error, ErrorKind};
use crate::event::Event;
use crate::state::Dirs;
use crate::state::storage::Storage;

/// The version of the files: that of everything that is written as JSON.
pub(super) const FORMAT: u32 = 1;

/// The first line of a log.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Head {
    pub(super) carthage: u32,
    pub(super) layout: String,
    pub(super) command: String,
    pub(super) run: u64,
    /// Milliseconds since 1970.
    pub(super) at: u64,
}

/// A run of which there is a log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LoggedRun {
    /// Its number.
    pub run: u64,
    /// The command.
    pub command: String,
    /// When it did its first thing, in milliseconds since 1970.
    pub at: u64,
    /// How many steps were done.
    pub done: usize,
    /// How many failed.
    pub failed: usize,
    /// How many were not tried, because of others.
    pub skipped: usize,
}

pub(super) fn directory(dirs: &Dirs) -> PathBuf {
    dirs.logs().join("runs")
}

pub(super) fn path(dirs: &Dirs, run: u64) -> PathBuf {
    directory(dirs).join(file_name(run))
}

pub(super) fn file_name(run: u64) -> String {
    format!("{run}.ndjson")
}

/// Milliseconds since 1970. No decision looks at it.
pub(super) fn now() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// The runs of which there are logs, the oldest first.
pub(super) fn numbers(storage: &dyn Storage, directory: &Path) -> Result<Vec<u64>, Error> {
    let names = match storage.names(directory) {
        Err(error) if error.kind() == Io::NotFound => return Ok(Vec::new()),
        names => names.map_err(Error::host(format!("cannot read the logs in `{}`", directory.display())))?,
    };
    let number = |name: std::ffi::OsString| name.to_str()?.strip_suffix(".ndjson")?.parse().ok();
    let mut numbers: Vec<u64> = names.into_iter().filter_map(number).collect();
    numbers.sort_unstable();
    Ok(numbers)
}

/// The lines of the log of a run; what a run that was killed has not written whole is left out. None when nothing of use is left.
fn lines(dirs: &Dirs, run: u64) -> Result<Vec<Value>, Error> {
    let path = path(dirs, run);
    let text = dirs.storage().read(&path).map_err(|error| {
        let known = numbers(&**dirs.storage(), &directory(dirs)).unwrap_or_default();
        let hint = match (known.first(), known.last()) {
            (Some(first), Some(last)) => {
                format!("there are logs from run {first} to {last}; see `logs --list`")
            }
            _ => "nothing was done yet; run `deploy` first".to_owned(),
        };
        let kind = if error.kind() == Io::NotFound { ErrorKind::NotFound } else { ErrorKind::Host };
        Error::new(kind, format!("there is no log of run {run}")).because(error).hint(hint)
    })?;
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<Value> = text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    match lines.first().and_then(|head| head["carthage"].as_u64()) {
        Some(version) if version <= u64::from(FORMAT) => Ok(lines),
        Some(version) => {
            let what = format!("the log `{}` is of a newer version", path.display());
            Err(Error::new(ErrorKind::Corrupt, what)
                .because(format!("it is of version {version}, and this knows {FORMAT}"))
                .hint("logs may be deleted: remove it"))
        }
        // A power cut took its beginning: logs are not waited for.
        None => Ok(Vec::new()),
    }
}

/// The runs of which there are logs, the oldest first.
///
/// # Errors
/// When they cannot be read, or one is of a newer version.
pub fn logged_runs(dirs: &Dirs) -> Result<Vec<LoggedRun>, Error> {
    let mut runs = Vec::new();
    for run in numbers(&**dirs.storage(), &directory(dirs))? {
        let lines = lines(dirs, run)?;
        let Some((head, told)) = lines.split_first() else { continue };
        let mut report = Report::default();
        // What a newer program tells besides does not count.
        let events = told.iter().filter_map(|line| Event::deserialize(line).ok());
        events.for_each(|event| report.add(&event));
        runs.push(LoggedRun {
            run,
            command: head["command"].as_str().unwrap_or_default().to_owned(),
            at: head["at"].as_u64().unwrap_or_default(),
            done: report.done.len(),
            failed: report.failed.len(),
            skipped: report.skipped.len(),
        });
    }
    Ok(runs)
}

/// What happened in a run, or in the last of which there is a log, to what the selection names: its number, and its
/// [`Event`](crate::event::Event)s, each with `at` in milliseconds since 1970. A machine stands for its tasks and services, too.
///
/// # Errors
/// When there is no such log, it is of a newer version, or nothing in it is about what the selection names.
pub fn run_log(dirs: &Dirs, run: Option<u64>, selection: &Selection) -> Result<(u64, Vec<Value>), Error> {
    let run = match run {
        Some(run) => run,
        None => numbers(&**dirs.storage(), &directory(dirs))?.last().copied().unwrap_or_default(),
    };
    let events = lines(dirs, run)?.into_iter().skip(1);
    let about = |event: &Value| {
        selection.is_all() || names_it(selection, event["thing"].as_str().unwrap_or_default())
    };
    let events: Vec<_> = events.filter(about).collect();
    if events.is_empty() && !selection.is_all() {
        let what = format!("nothing that happened in run {run} is about what you named");
        return Err(Error::new(ErrorKind::Usage, what)
            .hint("see `list` for the names, and `logs --list` for the runs"));
    }
    Ok((run, events))
}

/// Whether a thing is meant, or the machine that it belongs to; what is left out is left out with all that belongs to it.
fn names_it(selection: &Selection, thing: &str) -> bool {
    let holds = |selection: &Selection, thing: &str| {
        let (kind, name) = thing.split_once(':').unwrap_or(("", thing));
        let host = name.split('.').next().filter(|_| kind == "machine");
        selection.holds(kind, &[name, host.unwrap_or(name)])
    };
    let meant = [thing, &whose(thing)];
    let left_out = Selection { include: Vec::new(), ..selection.clone() };
    meant.iter().any(|thing| holds(selection, thing)) && meant.iter().all(|thing| holds(&left_out, thing))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use super::super::logged::logged;
    use super::super::logged::tests::{Kept, output, site};
    use super::*;
    use crate::event::Events;

    fn selection(include: &[&str], exclude: &[&str]) -> Selection {
        let parse = |texts: &[&str]| texts.iter().map(|text| text.parse().unwrap()).collect();
        Selection { include: parse(include), exclude: parse(exclude), ..Selection::all() }
    }

    #[test]
    fn what_happens_is_in_the_log_for_its_owner_only() {
        let (_base, dirs) = site();
        let kept = Kept::default();
        let (events, log) = logged(Events::new(kept.clone()), &dirs, "deploy", 7);
        assert!(!dirs.logs().exists(), "it is made with the first event");
        events.send(output("task:m.a/site.index"));
        events.send(Event::Done {
            thing: "network:a.lab".into(),
            action: crate::deploy::Action::Create,
            took: Default::default(),
            by_hand: false,
        });
        drop(log);
        assert_eq!(kept.all().len(), 2);
        assert_eq!(fs::metadata(path(&dirs, 7)).unwrap().permissions().mode() & 0o777, 0o600);
        let (run, all) = run_log(&dirs, None, &Selection::all()).unwrap();
        assert_eq!((run, all.len(), &all[0]["line"]), (7, 2, &Value::from("hello")));
        assert!(all[0]["at"].as_u64().unwrap() > 1_700_000_000_000);
        let of = |include: &[&str], exclude: &[&str]| {
            run_log(&dirs, Some(7), &selection(include, exclude)).map(|(_, events)| events.len()).ok()
        };
        assert_eq!(
            (of(&["m"], &[]), of(&["machine:m.a"], &[]), of(&["task:*.index"], &[])),
            (Some(1), Some(1), Some(1))
        );
        assert_eq!((of(&["network:*"], &[]), of(&["x"], &[]), of(&[], &["m"])), (Some(1), None, Some(1)));
        let runs = logged_runs(&dirs).unwrap();
        assert_eq!((runs[0].run, &*runs[0].command, runs[0].done, runs[0].failed), (7, "deploy", 1, 0));
        // A run that is killed in a line.
        fs::write(path(&dirs, 8), "{\"carthage\":1,\"command\":\"deploy\"}\n{\"event\":\"do").unwrap();
        assert_eq!(run_log(&dirs, None, &Selection::all()).unwrap(), (8, vec![]));
        // What a power cut may leave of one.
        for left in ["", "\0\0\0\0", "\0\0{\"event\":\"done\"}\n"] {
            fs::write(path(&dirs, 8), left).unwrap();
            assert_eq!(run_log(&dirs, Some(8), &Selection::all()).unwrap(), (8, vec![]));
            assert_eq!(logged_runs(&dirs).unwrap().len(), 1);
        }
        fs::write(path(&dirs, 9), "{\"carthage\":2}\n").unwrap();
        assert_eq!(run_log(&dirs, None, &Selection::all()).unwrap_err().kind(), ErrorKind::Corrupt);
        let none = run_log(&dirs, Some(4), &Selection::all()).unwrap_err();
        assert!(none.next_step().unwrap().contains("from run 7 to 9"), "{none:?}");
    }
}
