//! The log of the run that goes on. Whoever has something to tell makes lines of it and waits for no file: a thread of the log's own
//! writes what has gathered, at once after a quiet time, and while much is told all of it every few milliseconds.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use serde::Serialize;

use super::runs::{FORMAT, Head, directory, file_name, now, numbers, path};
use crate::error::Error;
use crate::event::{Event, Events, Sink};
use crate::state::Dirs;
use crate::state::dirs::make_dir;
use crate::state::storage::{Open, Storage};

/// How many runs are kept.
const KEPT: usize = 100;
/// How long lines may gather after some were written: as much of the log is lost when the process is killed.
const GATHERING: Duration = Duration::from_millis(5);
/// How many bytes may gather before whoever tells more has to write them.
const MOST: usize = 1 << 20;

#[derive(Serialize)]
struct Line<'a> {
    /// Milliseconds since 1970.
    at: u64,
    #[serde(flatten)]
    event: &'a Event,
}

/// Passes events on, and writes them to the log of this run: a file that is made with the first of them. When it cannot be
/// written, that is told once, and the run goes on without.
pub(super) fn logged(to: Events, dirs: &Dirs, command: &str, run: u64) -> (Events, Logging) {
    let head =
        Head { carthage: FORMAT, layout: dirs.layout().to_owned(), command: command.to_owned(), run, at: 0 };
    let gathered = Gathered {
        lines: Vec::new(),
        to: Target::Waits(dirs.clone(), head),
        thread: None,
        sleeps: false,
        is_over: false,
    };
    let (gathered, written) = (Mutex::new(gathered), Mutex::default());
    let log = Arc::new(Log { to, gathered, changed: Condvar::new(), written });
    (Events::new(Logged(log.clone())), Logging(log))
}

/// The log of a run as long as it goes on. Dropped, all of it is written and the thread has ended; what is told even later is written by
/// whoever tells it.
pub(super) struct Logging(Arc<Log>);

impl Logging {
    /// Writes what was told so far.
    pub(super) fn catch_up(&self) {
        self.0.write();
    }
}

impl Drop for Logging {
    fn drop(&mut self) {
        let thread = {
            let mut gathered = self.0.gathered();
            gathered.is_over = true;
            gathered.thread.take()
        };
        self.0.changed.notify_one();
        if let Some(thread) = thread {
            // What it has not written is written here, whatever became of it.
            thread.join().ok();
        }
        self.0.write();
    }
}

impl std::fmt::Debug for Logging {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Logging")
    }
}

struct Logged(Arc<Log>);

struct Log {
    to: Events,
    gathered: Mutex<Gathered>,
    /// Lines have come while the thread sleeps, or it is over.
    changed: Condvar,
    /// What was written last, to be used again; held by whoever writes, so that lines keep their order.
    written: Mutex<Vec<u8>>,
}

struct Gathered {
    /// Whole ones, which are to be written.
    lines: Vec<u8>,
    to: Target,
    /// Who writes them; without it, whoever tells something does.
    thread: Option<JoinHandle<()>>,
    /// Whether it waits until there are lines.
    sleeps: bool,
    is_over: bool,
}

enum Target {
    /// Nothing has happened yet.
    Waits(Dirs, Head),
    /// To this file.
    Open(Arc<Opened>),
    /// It could not be written.
    Given,
}

struct Opened {
    storage: Arc<dyn Storage>,
    path: PathBuf,
    file: File,
}

impl Sink for Logged {
    fn event(&self, event: &Event) {
        self.0.to.pass(event);
        // That something is waited for is for who waits; alone it is no reason for a log.
        if !matches!(event, Event::Waiting { .. } | Event::Waited { .. }) {
            self.0.add(event);
        }
    }
}

impl Log {
    fn gathered(&self) -> MutexGuard<'_, Gathered> {
        self.gathered.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes a line of an event.
    fn add(self: &Arc<Self>, event: &Event) {
        let mut gathered = self.gathered();
        if let Err(warning) = gathered.open().and_then(|()| gathered.add(event)) {
            drop(gathered);
            return self.to.pass(&warning);
        }
        if gathered.lines.is_empty() {
            return;
        }
        if gathered.thread.is_none() && !gathered.is_over {
            let log = self.clone();
            // Without a thread, it goes as it does when the run is over.
            gathered.thread = thread::Builder::new().name("log".to_owned()).spawn(move || log.writes()).ok();
        }
        let wakes = std::mem::take(&mut gathered.sleeps);
        let writes = gathered.thread.is_none() || gathered.lines.len() > MOST;
        drop(gathered);
        if wakes {
            self.changed.notify_one();
        }
        if writes {
            self.write();
        }
    }

    /// The work of the thread.
    fn writes(&self) {
        let sleeps = |gathered: &mut Gathered| {
            gathered.sleeps = gathered.lines.is_empty() && !gathered.is_over;
            gathered.sleeps
        };
        loop {
            let gathered = self.changed.wait_while(self.gathered(), sleeps);
            let gathered = gathered.unwrap_or_else(PoisonError::into_inner);
            if gathered.is_over {
                return;
            }
            drop(gathered);
            self.write();
            let gathered = self.gathered();
            drop(self.changed.wait_timeout_while(gathered, GATHERING, |gathered| !gathered.is_over));
        }
    }

    /// Writes what has gathered, in one piece: whoever is killed leaves whole lines.
    fn write(&self) {
        let mut written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        let opened = {
            let mut gathered = self.gathered();
            let Target::Open(opened) = &gathered.to else { return };
            let opened = opened.clone();
            std::mem::swap(&mut gathered.lines, &mut written);
            opened
        };
        if written.is_empty() {
            return;
        }
        let appended = opened.storage.append(&opened.file, &written);
        written.clear();
        if let Err(error) = appended {
            let warning = self.gathered().give_up(&opened.path, &error);
            drop(written);
            self.to.pass(&warning);
        }
    }
}

impl Gathered {
    /// Opens the file if nothing has happened yet; if it cannot be opened, answers what the user should know.
    fn open(&mut self) -> Result<(), Event> {
        let Target::Waits(dirs, head) = &self.to else { return Ok(()) };
        // With the last thing the layout goes, and its directory is not made again.
        if !dirs.state().is_dir() {
            return Ok(());
        }
        let (storage, path) = (dirs.storage().clone(), path(dirs, head.run));
        let head = Head { at: now(), ..head.clone() };
        match begin(&*storage, &directory(dirs), &path, &head) {
            Ok(file) => {
                self.to = Target::Open(Arc::new(Opened { storage, path, file }));
                Ok(())
            }
            Err(error) => Err(self.give_up(&path, &error)),
        }
    }

    /// Adds a line, if there is a file.
    fn add(&mut self, event: &Event) -> Result<(), Event> {
        let Target::Open(opened) = &self.to else { return Ok(()) };
        if let Err(error) = serde_json::to_writer(&mut self.lines, &Line { at: now(), event }) {
            let opened = opened.clone();
            return Err(self.give_up(&opened.path, &error));
        }
        self.lines.push(b'\n');
        Ok(())
    }

    fn give_up(&mut self, path: &Path, error: &(dyn std::error::Error + 'static)) -> Event {
        self.to = Target::Given;
        self.lines = Vec::new();
        let path = path.display();
        let text = format!("cannot write `{path}`: {}; the run goes on without", crate::chain(error));
        Event::Warning { thing: "log".to_owned(), text }
    }
}

/// Makes the file of a run, and removes those of the oldest.
fn begin(storage: &dyn Storage, directory: &Path, path: &Path, head: &Head) -> Result<File, Error> {
    make_dir(storage, directory)?;
    let mut runs = numbers(storage, directory)?;
    runs.truncate(runs.len().saturating_sub(KEPT - 1));
    for old in runs {
        storage.remove(&directory.join(file_name(old))).map_err(Error::host("cannot remove an old log"))?;
    }
    let open = || {
        let file = storage.open(path, Open::More)?;
        storage.append(&file, format!("{}\n", serde_json::to_string(head)?).as_bytes())?;
        Ok::<_, io::Error>(file)
    };
    open().map_err(Error::host("it cannot be made"))
}

#[cfg(test)]
pub(super) mod tests {
    use std::fs;
    use std::time::Instant;

    use super::*;
    use crate::deploy::Selection;
    use crate::deploy::runs::run_log;
    use crate::state::faulty::Faulty;

    #[derive(Clone, Default)]
    pub(in super::super) struct Kept(Arc<Mutex<Vec<Event>>>);

    impl Sink for Kept {
        fn event(&self, event: &Event) {
            self.0.lock().unwrap().push(event.clone());
        }
    }

    impl Kept {
        pub(in super::super) fn all(&self) -> Vec<Event> {
            self.0.lock().unwrap().clone()
        }

        /// How many events there were, and how many of them were warnings.
        fn count(&self) -> (usize, usize) {
            let all = self.all();
            (all.len(), all.iter().filter(|event| matches!(event, Event::Warning { .. })).count())
        }
    }

    pub(in super::super) fn site() -> (tempfile::TempDir, Dirs) {
        let base = tempfile::tempdir().unwrap();
        let dirs = Dirs::find("lab", Some(base.path())).unwrap();
        fs::create_dir(dirs.state()).unwrap();
        (base, dirs)
    }

    fn faulty_site() -> (tempfile::TempDir, Arc<Faulty>, Dirs) {
        let (base, dirs) = site();
        let disk = Arc::new(Faulty::default());
        (base, disk.clone(), dirs.on(disk))
    }

    pub(in super::super) fn output(thing: &str) -> Event {
        Event::Output { machine: "m.a".into(), thing: thing.into(), line: "hello".into(), stderr: false }
    }

    /// How many events are in the log.
    fn written(dirs: &Dirs) -> usize {
        run_log(dirs, None, &Selection::all()).unwrap().1.len()
    }

    #[test]
    fn what_happens_is_seen_while_the_run_goes_on() {
        let (_base, dirs) = site();
        let (events, _goes_on) = logged(Events::none(), &dirs, "deploy", 1);
        for number in 1..=3 {
            events.send(output("machine:m.a"));
            let deadline = Instant::now() + Duration::from_secs(60);
            while written(&dirs) < number {
                assert!(Instant::now() < deadline, "event {number} is not written");
                thread::yield_now();
            }
        }
    }

    #[test]
    fn what_is_told_at_once_is_written_at_once_and_all_of_it() {
        let (_base, disk, dirs) = faulty_site();
        let begun = Instant::now();
        let (events, log) = logged(Events::none(), &dirs, "deploy", 1);
        thread::scope(|scope| {
            for thing in ["machine:a", "machine:b", "machine:c"] {
                let events = &events;
                scope.spawn(move || (0..2000).for_each(|_| events.send(output(thing))));
            }
        });
        drop(log);
        let turns = begun.elapsed().as_millis() / GATHERING.as_millis();
        assert_eq!(written(&dirs), 6000);
        // The head, the first, and the last.
        let appended = disk.appended();
        assert!(appended.len() as u128 <= turns + 3, "{} in {turns} turns", appended.len());
    }

    #[test]
    fn nobody_tells_faster_than_it_can_be_written_for_long() {
        let (_base, disk, dirs) = faulty_site();
        let (events, log) = logged(Events::none(), &dirs, "deploy", 1);
        let line = "x".repeat(MOST / 4);
        for _ in 0..40 {
            let (machine, thing) = ("m.a".to_owned(), "machine:m.a".to_owned());
            events.send(Event::Output { machine, thing, line: line.clone(), stderr: false });
        }
        drop(log);
        assert_eq!(written(&dirs), 40);
        assert!(disk.appended().iter().all(|bytes| *bytes < 2 * MOST), "{:?}", disk.appended());
    }

    #[test]
    fn with_the_run_its_thread_ends_and_what_is_told_later_is_written_all_the_same() {
        let (_base, dirs) = site();
        let kept = Kept::default();
        let (events, log) = logged(Events::new(kept.clone()), &dirs, "deploy", 1);
        events.send(output("machine:m.a"));
        log.catch_up();
        assert_eq!(written(&dirs), 1);
        events.send(output("machine:m.a"));
        drop(log);
        assert_eq!(written(&dirs), 2);
        events.send(output("machine:m.a"));
        assert_eq!(written(&dirs), 3);
        drop(events);
        assert_eq!(Arc::strong_count(&kept.0), 1, "somebody still holds who listens");
        // Nothing was told before the end.
        let (events, log) = logged(Events::none(), &dirs, "deploy", 2);
        drop(log);
        events.send(output("machine:m.a"));
        assert_eq!(written(&dirs), 1);
    }

    #[test]
    fn a_hundred_runs_are_kept() {
        let (_base, dirs) = site();
        for run in 1..=105 {
            logged(Events::none(), &dirs, "deploy", run).0.send(output("machine:m.a"));
        }
        let runs = numbers(&**dirs.storage(), &directory(&dirs)).unwrap();
        assert_eq!((runs.len(), runs[0], runs[99]), (100, 6, 105));
    }

    #[test]
    fn what_cannot_be_written_is_told_once() {
        let (_base, dirs) = site();
        fs::write(dirs.logs(), "in the way").unwrap();
        let kept = Kept::default();
        let (events, log) = logged(Events::new(kept.clone()), &dirs, "deploy", 1);
        events.send(output("machine:m.a"));
        events.send(output("machine:m.a"));
        drop(log);
        assert_eq!(kept.count(), (3, 1), "{:?}", kept.all());
    }

    #[test]
    fn what_can_no_longer_be_written_is_told_once() {
        let (_base, disk, dirs) = faulty_site();
        let kept = Kept::default();
        let (events, log) = logged(Events::new(kept.clone()), &dirs, "deploy", 1);
        events.send(output("machine:m.a"));
        log.catch_up();
        disk.refuse("append");
        events.send(output("machine:m.a"));
        log.catch_up();
        (0..2).for_each(|_| events.send(output("machine:m.a")));
        drop(log);
        events.send(output("machine:m.a"));
        assert_eq!(kept.count(), (6, 1), "{:?}", kept.all());
        assert_eq!(written(&dirs), 1, "half a line is none");
    }

    #[test]
    fn a_layout_that_is_gone_stays_gone() {
        let (_base, dirs) = site();
        let (events, log) = logged(Events::none(), &dirs, "destroy", 1);
        let (later, later_log) = logged(Events::none(), &dirs, "destroy", 2);
        later.send(output("machine:m.a"));
        fs::remove_dir_all(dirs.state()).unwrap();
        (0..2).for_each(|_| [&events, &later].iter().for_each(|events| events.send(output("machine:m.a"))));
        drop((log, later_log));
        assert!(!dirs.state().exists());
    }
}
