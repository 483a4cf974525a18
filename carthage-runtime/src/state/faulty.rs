//! For tests: a disk that refuses to do what it is told to refuse, and what becomes of the state on it.

use std::ffi::OsString;
use std::fs::{File, Metadata};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use super::storage::{Disk, Open, Storage};
use super::{Change, Dirs, Outcome, Snapshot, Store};
use crate::machine::engine::Identity;
use crate::task::{Last, Stamps};

/// The disk, but for what it refuses.
#[derive(Debug, Default)]
pub(crate) struct Faulty {
    disk: Disk,
    /// What fails, by the method's name. Of `append`, half of the bytes are written.
    refuses: Mutex<Option<&'static str>>,
    appended: Mutex<Vec<usize>>,
    synced: Mutex<Vec<PathBuf>>,
}

impl Faulty {
    pub(crate) fn refuse(&self, what: impl Into<Option<&'static str>>) {
        *self.refuses.lock().unwrap() = what.into();
    }

    /// How many bytes were appended, each time.
    pub(crate) fn appended(&self) -> Vec<usize> {
        self.appended.lock().unwrap().clone()
    }

    fn may(&self, what: &str) -> io::Result<()> {
        let refuses = *self.refuses.lock().unwrap();
        if refuses == Some(what) { Err(io::Error::other(format!("no {what}"))) } else { Ok(()) }
    }
}

impl Storage for Faulty {
    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        self.disk.read(path)
    }

    fn metadata(&self, path: &Path) -> io::Result<Metadata> {
        self.disk.metadata(path)
    }

    fn names(&self, dir: &Path) -> io::Result<Vec<OsString>> {
        self.disk.names(dir)
    }

    fn open(&self, path: &Path, how: Open) -> io::Result<File> {
        self.disk.open(path, how)
    }

    fn append(&self, file: &File, bytes: &[u8]) -> io::Result<()> {
        self.may("append").inspect_err(|_| self.disk.append(file, &bytes[..bytes.len() / 2]).unwrap())?;
        self.appended.lock().unwrap().push(bytes.len());
        self.disk.append(file, bytes)
    }

    fn write_at(&self, file: &File, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.may("write_at")?;
        self.disk.write_at(file, offset, bytes)
    }

    fn set_len(&self, file: &File, len: u64) -> io::Result<()> {
        self.disk.set_len(file, len)
    }

    fn sync(&self, file: &File) -> io::Result<()> {
        self.may("sync")?;
        self.disk.sync(file)
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        self.may("sync_dir")?;
        self.synced.lock().unwrap().push(dir.to_owned());
        self.disk.sync_dir(dir)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.disk.rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.disk.remove(path)
    }

    fn make_dir(&self, dir: &Path) -> io::Result<()> {
        self.disk.make_dir(dir)
    }

    fn remove_dir(&self, dir: &Path) -> io::Result<()> {
        self.disk.remove_dir(dir)
    }

    fn remove_tree(&self, dir: &Path) -> io::Result<()> {
        self.disk.remove_tree(dir)
    }
}

/// A layout on such a disk.
fn lab() -> (tempfile::TempDir, Arc<Faulty>, Dirs) {
    let base = tempfile::tempdir().unwrap();
    let disk = Arc::new(Faulty::default());
    let dirs = Dirs::find("lab", Some(base.path())).unwrap().on(disk.clone());
    (base, disk, dirs)
}

/// What is unfinished, and how the rest ended, as somebody else reads it.
fn told(dirs: &Dirs) -> (Vec<String>, Vec<(String, Outcome)>) {
    let unfinished = Snapshot::read(dirs).unwrap().unfinished.into_iter().map(|entry| entry.thing);
    let ended = Snapshot::journal(dirs, 0).unwrap().into_iter();
    (unfinished.collect(), ended.map(|entry| (entry.thing, entry.outcome.unwrap())).collect())
}

#[test]
fn outcomes_that_could_not_be_written_are_written_later() {
    for refused in ["append", "sync"] {
        let (_base, disk, dirs) = lab();
        let store = Store::open(&dirs, "deploy").unwrap();
        let run = store.begin_run().unwrap();
        let [first, second] = ["task:a/t", "task:b/t"].map(|thing| store.intend(run, thing, "run").unwrap());
        first.done_later().unwrap();
        disk.refuse(refused);
        store.catch_up().unwrap_err();
        second.done(Change::Nothing).unwrap_err();
        disk.refuse(None);
        store.catch_up().unwrap();
        // Its process dies now.
        drop(store);
        let (unfinished, ended) = told(&dirs);
        assert_eq!(unfinished, [""; 0], "{refused}");
        let done = ["task:a/t", "task:b/t"].map(|thing| (thing.to_owned(), Outcome::Done));
        assert_eq!(ended, done, "{refused}");
    }
}

#[test]
fn what_could_not_be_announced_is_neither_unfinished_nor_done() {
    for refused in ["append", "sync", "sync_dir"] {
        let (_base, disk, dirs) = lab();
        let store = Store::open(&dirs, "deploy").unwrap();
        let run = store.begin_run().unwrap();
        disk.refuse(refused);
        store.intend(run, "machine:a", "start").unwrap_err();
        disk.refuse(None);
        let next = store.intend(run, "machine:b", "start").unwrap();
        assert_eq!(next.entry().seq, 2);
        for ended in [false, true] {
            let (unfinished, others) = told(&dirs);
            assert_eq!(unfinished, ["machine:b"], "{refused} {ended}");
            let failed = |(thing, outcome): &(String, Outcome)| {
                thing == "machine:a" && matches!(outcome, Outcome::Failed(why) if why.contains("not begun"))
            };
            assert!(others.iter().all(failed), "{refused} {ended}: {others:?}");
            store.end_run().unwrap();
        }
    }
}

#[test]
fn a_file_whose_first_line_could_not_be_written_still_gets_head_and_name() {
    for refused in ["append", "sync", "sync_dir"] {
        let (_base, disk, dirs) = lab();
        let store = Store::open(&dirs, "deploy").unwrap();
        let run = store.begin_run().unwrap();
        disk.refuse(refused);
        store.intend(run, "machine:a", "start").unwrap_err();
        disk.refuse(None);
        disk.synced.lock().unwrap().clear();
        drop(store.intend(run, "machine:a", "start").unwrap());
        let journal = dirs.state().join("journal");
        let synced = std::mem::take(&mut *disk.synced.lock().unwrap());
        assert!(synced.contains(&journal) && synced.iter().any(|dir| dir == dirs.state()), "{synced:?}");
        let text = std::fs::read_to_string(journal.join("1.ndjson")).unwrap();
        assert!(text.lines().any(|line| line == r#"{"carthage":1,"run":1}"#), "{refused}: {text}");
        drop(store.intend(run, "machine:a", "start").unwrap());
        assert_eq!(*disk.synced.lock().unwrap(), [""; 0].map(PathBuf::from), "only once");
    }
}

#[test]
fn what_was_to_be_written_later_survives_a_transaction_that_fails() {
    let (_base, disk, dirs) = lab();
    let store = Store::open(&dirs, "deploy").unwrap();
    drop(store.intend(store.begin_run().unwrap(), "machine:a", "start").unwrap());
    let run = store.begin_run().unwrap();
    store.intend(run, "machine:a", "start").unwrap().done_later().unwrap();
    let refused = store.write::<()>(|_| Err(crate::Error::new(crate::ErrorKind::Host, "no room")));
    refused.unwrap_err();
    assert_eq!(told(&dirs).0, ["machine:a"; 2]);
    store.catch_up().unwrap();
    assert_eq!(told(&dirs).0, [""; 0]);
    assert_eq!(told(&dirs).1.last().unwrap(), &("machine:a".to_owned(), Outcome::Done));
    store.end_run().unwrap();
    assert_eq!(told(&dirs).0, [""; 0]);
    drop(disk);
}

#[test]
fn who_catches_up_does_not_rely_on_a_transaction_that_fails() {
    let (_base, _disk, dirs) = lab();
    let store = Store::open(&dirs, "deploy").unwrap();
    drop(store.intend(store.begin_run().unwrap(), "machine:a", "start").unwrap());
    let run = store.begin_run().unwrap();
    store.intend(run, "machine:a", "start").unwrap().done_later().unwrap();
    let ((begun, begins), (tell, told_all)) = (mpsc::channel(), mpsc::channel());
    std::thread::scope(|scope| {
        let store = &store;
        // Somebody else has taken it into his transaction, and fails once the other has answered, or waits for him.
        let other = scope.spawn(move || {
            store.write::<()>(|_| {
                begun.send(()).unwrap();
                told_all.recv_timeout(Duration::from_millis(300)).ok();
                Err(crate::Error::new(crate::ErrorKind::Host, "no room"))
            })
        });
        begins.recv().unwrap();
        scope.spawn(move || {
            store.catch_up().unwrap();
            tell.send(()).ok();
        });
        other.join().unwrap().unwrap_err();
    });
    assert_eq!(told(&dirs).0, [""; 0], "it was told that all is well");
}

#[tokio::test]
async fn what_ended_while_nobody_waited_for_it_any_more_is_not_unfinished() {
    let (_base, _disk, dirs) = lab();
    let store = Store::open(&dirs, "deploy").unwrap();
    let run = store.begin_run().unwrap();
    let intent = store.intend_soon(run, "machine:a", "destroy").await.unwrap();
    // Whoever waited gives up; what was in line is written all the same, and before what comes later.
    let mut ends = Box::pin(store.ends_soon(intent.entry, Outcome::Done, Change::Remove));
    assert!(futures_util::poll!(&mut ends).is_pending());
    drop(ends);
    store.together(|_, _| Ok(())).await.unwrap();
    let ending = store.clone();
    tokio::task::spawn_blocking(move || ending.end_run()).await.unwrap().unwrap();
    assert_eq!(told(&dirs), (Vec::new(), vec![("machine:a".to_owned(), Outcome::Done)]));
    assert_eq!(store.view().unwrap().unfinished, []);
}

#[test]
fn a_stamp_that_could_not_be_written_is_not_there_and_those_after_it_are() {
    for refused in ["append", "sync"] {
        let (base, disk, _) = lab();
        let stamps = Stamps::new(disk.clone(), base.path().join("stamps"), "aa");
        stamps.make_room().unwrap();
        let _held = stamps.hold();
        let target = Identity("m1".to_owned());
        stamps.begin("a", 1, &target, true).unwrap();
        disk.refuse(refused);
        let error = stamps.failed("a", 1, &target, true).unwrap_err();
        assert!(crate::chain(&error).contains(&format!("no {refused}")), "{error:?}");
        disk.refuse(None);
        stamps.begin("b", 1, &target, false).unwrap();
        // It counts as interrupted, or as failed: what is certain is that it runs again, and that others can read it.
        for stamps in [&stamps, &Stamps::new(disk.clone(), base.path().join("stamps"), "aa")] {
            assert_eq!(matches!(stamps.read("a"), Last::Begun(..)), refused == "append");
            assert_eq!(stamps.read("b"), Last::Begun(1, target.clone()));
        }
        assert!(stamps.are_unsynced());
        stamps.sync().unwrap();
        assert!(!stamps.are_unsynced());
    }
}
