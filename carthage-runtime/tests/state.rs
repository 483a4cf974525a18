//! The store of a layout: what is written is there afterwards, whatever happened in between.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use carthage_runtime::machine::engine::Identity;
use carthage_runtime::state::{
    Assignment, Change, Dirs, Entry, Kind, Origin, Outcome, Record, Snapshot, Store, lock,
};
use carthage_runtime::{Error, ErrorKind, chain};
use tempfile::TempDir;

fn lab() -> (TempDir, Dirs) {
    let base = tempfile::tempdir().unwrap();
    let dirs = Dirs::find("lab", Some(&base.path().join("state"))).unwrap();
    (base, dirs)
}

fn record(name: &str, run: u64) -> Record {
    Record {
        kind: Kind::Machine,
        name: name.into(),
        path: format!("algebra.{name}"),
        implementation: "Sandbox".into(),
        identity: Identity(format!("id-{name}")),
        spec: Origin::of(&serde_json::json!({ "memory_mb": 256 })).unwrap(),
        needs: Vec::new(),
        run,
        at: 7,
    }
}

fn address(last: u8) -> Assignment {
    Assignment {
        network: "algebra.lab".into(),
        address: Some([10, 37, 0, last].into()),
        mac: Some([2, 0, 0, 0, 0, last]),
    }
}

fn link(machine: &str) -> (String, String) {
    (machine.into(), "eth0".into())
}

/// Everything below a directory, with modes and sizes.
fn listing(dir: &Path) -> Vec<(PathBuf, u32, u64)> {
    let mut all = Vec::new();
    for entry in fs::read_dir(dir).unwrap() {
        let entry = entry.unwrap();
        let meta = entry.metadata().unwrap();
        all.push((entry.path(), meta.mode(), if meta.is_file() { meta.len() } else { 0 }));
        if meta.is_dir() {
            all.extend(listing(&entry.path()));
        }
    }
    all.sort();
    all
}

#[test]
fn a_layout_never_deployed_has_nothing_and_looking_creates_nothing() {
    let (base, dirs) = lab();
    let nothing = Snapshot::read(&dirs).unwrap();
    assert_eq!((nothing.id, nothing.run, nothing.records.len()), (None, 0, 0));
    assert_eq!(lock::holder(&dirs).unwrap(), None);
    assert_eq!(listing(base.path()), []);
}

#[test]
fn what_is_written_is_there_after_reopening_and_is_private() {
    let (base, dirs) = lab();
    let (id, key) = {
        let store = Store::open(&dirs, "deploy").unwrap();
        assert_eq!((store.begin_run().unwrap(), store.begin_run().unwrap()), (1, 2));
        store.intend(2, "machine:mirror", "create").unwrap().done(Change::Put(record("mirror", 2))).unwrap();
        let failure = Error::new(ErrorKind::Host, "cannot start").because("no memory");
        store.intend(2, "machine:mirror", "start").unwrap().failed(&failure, Change::Nothing).unwrap();
        drop(store.intend(2, "machine:worker-1", "create").unwrap());
        store
            .assign(&BTreeMap::from([(link("mirror"), address(2)), (link("worker-1"), address(3))]))
            .unwrap();
        store.persist_put("lab::JoinToken", b"secret").unwrap();
        store.persist_put("lab::Gone", b"x").unwrap();
        store.persist_remove("lab::Gone").unwrap();
        (store.id().to_owned(), format!("{:?}", store.view().unwrap()))
    };
    assert!(!key.contains("secret"), "{key}");
    assert!(id.len() == 32 && id.chars().all(|digit| digit.is_ascii_hexdigit()), "{id}");

    let read = Snapshot::read(&dirs).unwrap();
    assert_eq!((read.id.as_deref(), read.run), (Some(id.as_str()), 2));
    assert_eq!(read.records, BTreeMap::from([("machine:mirror".into(), record("mirror", 2))]));
    assert_eq!(read.assignments[&link("worker-1")], address(3));
    assert_eq!(read.values.keys().collect::<Vec<_>>(), ["lab::JoinToken"]);
    assert_eq!(read.values["lab::JoinToken"].as_slice(), b"secret");
    let journal = Snapshot::journal(&dirs, 0).unwrap();
    let journal: Vec<_> = journal.iter().map(|e| (e.action.as_str(), e.outcome.clone().unwrap())).collect();
    assert_eq!(
        journal,
        [("create", Outcome::Done), ("start", Outcome::Failed("cannot start: no memory".into()))]
    );
    assert_eq!(Snapshot::journal(&dirs, 2).unwrap(), []);
    assert_eq!(read.unfinished.iter().map(|e| e.thing.as_str()).collect::<Vec<_>>(), ["machine:worker-1"]);

    let store = Store::open(&dirs, "deploy").unwrap();
    assert_eq!(store.id(), id);
    assert_eq!(store.persist_get("lab::JoinToken").unwrap().unwrap().as_slice(), b"secret");
    assert_eq!(store.persist_get("lab::Gone").unwrap(), None);
    for (path, mode, _) in listing(base.path()) {
        assert_eq!(mode & 0o077, 0, "{} is {mode:o}", path.display());
    }
}

#[test]
fn unfinished_changes_are_taken_up_or_superseded() {
    let (_base, dirs) = lab();
    let store = Store::open(&dirs, "deploy").unwrap();
    let run = store.begin_run().unwrap();
    for thing in ["machine:a", "machine:b", "machine:c"] {
        drop(store.intend(run, thing, "create").unwrap());
    }
    let run = store.begin_run().unwrap();
    let first = store.view().unwrap().unfinished.remove(0);
    store.resume(first).done(Change::Put(record("a", run))).unwrap();
    store.intend(run, "machine:b", "create").unwrap().done(Change::Remove).unwrap();
    let now = store.view().unwrap();
    assert_eq!(now.unfinished.iter().map(|e| e.thing.as_str()).collect::<Vec<_>>(), ["machine:c"]);
    let journal = store.journal(0).unwrap();
    let outcomes: Vec<_> = journal.iter().map(|e| (e.seq, e.outcome.clone().unwrap())).collect();
    assert_eq!(outcomes, [(1, Outcome::Done), (2, Outcome::Superseded), (4, Outcome::Done)]);
    assert_eq!(now.records.keys().collect::<Vec<_>>(), ["machine:a"]);
}

#[test]
fn the_journal_does_not_grow_for_ever() {
    let (_base, dirs) = lab();
    let store = Store::open(&dirs, "deploy").unwrap();
    for _ in 0..30 {
        let run = store.begin_run().unwrap();
        store.intend(run, "machine:a", "start").unwrap().done(Change::Nothing).unwrap();
        store.intend(run, "machine:a", "create").unwrap().done(Change::Put(record("a", run))).unwrap();
    }
    let journal = store.journal(0).unwrap();
    assert_eq!((journal.len(), journal[0].run, journal.last().unwrap().run), (40, 11, 30));
    assert_eq!(store.journal(28).unwrap().len(), 4);
    assert_eq!(fs::read_dir(dirs.state().join("journal")).unwrap().count(), 20);
}

/// What is unfinished and what has ended, as somebody else reads it.
fn told(dirs: &Dirs) -> (Vec<String>, Vec<String>) {
    let words = |entries: Vec<Entry>| entries.into_iter().map(|e| format!("{} {}", e.seq, e.thing)).collect();
    (words(Snapshot::read(dirs).unwrap().unfinished), words(Snapshot::journal(dirs, 0).unwrap()))
}

#[test]
fn a_run_that_ended_is_read_without_its_file_and_one_that_died_with_it() {
    let (_base, dirs) = lab();
    let file = dirs.state().join("journal/1.ndjson");
    let store = Store::open(&dirs, "deploy").unwrap();
    let run = store.begin_run().unwrap();
    assert!(!file.exists(), "a run that does nothing has no file");
    drop(store.intend(run, "machine:a", "start").unwrap());
    store.intend(run, "task:a/t", "run").unwrap().done_later().unwrap();
    store.intend(run, "machine:b", "create").unwrap().done(Change::Put(record("b", run))).unwrap();
    drop(store.intend(run, "machine:c", "start").unwrap());
    let all = ["1 machine:a", "2 task:a/t", "3 machine:b", "4 machine:c"].map(str::to_owned);
    let (unfinished, ended) = ([all[0].clone(), all[3].clone()].to_vec(), all[1..3].to_vec());
    assert_eq!(told(&dirs), (unfinished.clone(), ended.clone()), "beside the writer");
    // It dies.
    drop(store);
    assert_eq!(told(&dirs), (unfinished.clone(), ended.clone()));
    let died = fs::read(&file).unwrap();

    // The next one has it from its file, and whoever comes then from the store.
    let store = Store::open(&dirs, "deploy").unwrap();
    let run = store.begin_run().unwrap();
    fs::remove_file(&file).unwrap();
    assert_eq!(told(&dirs).0, unfinished);
    store.intend(run, "machine:c", "start").unwrap().done_later().unwrap();
    let third = store.intend(run, "machine:d", "start").unwrap();
    assert_eq!(third.entry().seq, 6, "numbers go on");
    store.end_run().unwrap();
    drop((third, store));
    fs::write(&file, &died).unwrap();
    fs::remove_file(dirs.state().join("journal/2.ndjson")).unwrap();
    let left = ["1 machine:a", "6 machine:d"].map(str::to_owned).to_vec();
    assert_eq!(told(&dirs).0, left, "a run that ended is in the store");
    assert_eq!(Store::open(&dirs, "deploy").unwrap().intend(2, "machine:a", "stop").unwrap().entry().seq, 7);
}

#[test]
fn a_killed_run_leaves_its_numbers_to_nobody() {
    let (_base, dirs) = lab();
    let mut last = 0;
    for _ in 0..3 {
        let store = Store::open(&dirs, "deploy").unwrap();
        let run = store.begin_run().unwrap();
        for _ in 0..2 {
            let intent = store.intend(run, "task:a/t", "run").unwrap();
            assert_eq!(intent.entry().seq, last + 1);
            last += 1;
            intent.done(Change::Nothing).unwrap();
        }
        // It dies, with all that it began ended in its file.
        drop(store);
    }
    assert_eq!(told(&dirs).1.len(), 6);
}

#[test]
fn what_a_power_cut_leaves_of_a_line_says_nothing() {
    let (_base, dirs) = lab();
    let store = Store::open(&dirs, "deploy").unwrap();
    let run = store.begin_run().unwrap();
    drop(store.intend(run, "machine:a", "start").unwrap());
    drop(store);
    let file = dirs.state().join("journal/1.ndjson");
    let good = fs::read_to_string(&file).unwrap();
    for left in ["{\"seq\":2,\"thi", "\0\0\0\0", "{}\n{\"seq\":7,\"outcome\":\"done\"}\n", "\u{fffd}\n\n"] {
        fs::write(&file, format!("{good}{left}")).unwrap();
        assert_eq!(told(&dirs).0, ["1 machine:a"]);
    }
    for (left, open) in [("", 0), ("\0\0", 0), (&good[..good.len() - 3], 0), (&*good, 1)] {
        fs::write(&file, left).unwrap();
        assert_eq!(told(&dirs).0.len(), open);
    }
    fs::write(&file, good.replace("\"carthage\":1", "\"carthage\":2")).unwrap();
    for error in [Snapshot::read(&dirs).unwrap_err(), Store::open(&dirs, "deploy").unwrap_err()] {
        assert_eq!(error.kind(), ErrorKind::Corrupt);
        assert!(chain(&error).contains("1.ndjson` was written by a newer version"), "{error}");
    }
}

#[test]
fn no_address_is_given_twice_and_removing_a_machine_frees_its_own() {
    let (_base, dirs) = lab();
    let store = Store::open(&dirs, "deploy").unwrap();
    store.assign(&BTreeMap::from([(link("a"), address(5))])).unwrap();
    let error =
        store.assign(&BTreeMap::from([(link("b"), address(6)), (link("c"), address(5))])).unwrap_err();
    assert_eq!(error.to_string(), "10.37.0.5 would be given to `eth0` of `a` and to `eth0` of `c`");
    assert_eq!(store.view().unwrap().assignments.len(), 1, "all or none");
    let same_mac = Assignment { address: None, ..address(5) };
    let error = store.assign(&BTreeMap::from([(link("c"), same_mac)])).unwrap_err();
    assert!(error.to_string().starts_with("02:00:00:00:00:05 would"), "{error}");

    store.assign(&BTreeMap::from([(link("b"), address(6)), (link("d"), address(7))])).unwrap();
    store.put_record(&record("a", 1)).unwrap();
    store.remove_record("machine:a").unwrap();
    store.release("d", "eth0").unwrap();
    assert_eq!(store.view().unwrap().assignments.into_keys().collect::<Vec<_>>(), [link("b")]);
    store.assign(&BTreeMap::from([(link("c"), address(5))])).unwrap();
}

#[test]
fn others_read_while_one_writes_and_only_one_writes() {
    let (_base, dirs) = lab();
    let store = Store::open(&dirs, "deploy").unwrap();
    let began = Instant::now();
    for number in 1..=200 {
        assert_eq!(store.begin_run().unwrap(), number);
        assert_eq!(Snapshot::read(&dirs).unwrap().run, number);
    }
    println!("commit and read beside it: {:?}", began.elapsed() / 200);
    let error = Store::open(&dirs, "destroy").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Locked);
    assert!(error.to_string().contains("`deploy` of "), "{error}");
}

#[test]
fn damage_is_one_clear_error_and_touches_nothing() {
    let (_base, dirs) = lab();
    let store = Store::open(&dirs, "deploy").unwrap();
    for name in 0..50 {
        store.put_record(&record(&format!("m{name}"), 1)).unwrap();
    }
    drop(store);
    let file = dirs.state().join("state.redb");
    let good = fs::read(&file).unwrap();
    let text = b"no database at all".repeat(1000);
    let mut damaged =
        vec![Vec::new(), text, good[..100].to_vec(), good[..good.len() / 2].to_vec(), vec![0; good.len()]];
    for seed in 0..60 {
        let mut random = fastrand::Rng::with_seed(seed);
        let mut bytes = good.clone();
        if seed % 2 == 0 {
            bytes.truncate(random.usize(..good.len()));
        } else {
            let page = random.usize(..good.len() / 4096) * 4096;
            random.fill(&mut bytes[page..page + 4096]);
        }
        damaged.push(bytes);
    }
    let (mut refused, all) = (0, damaged.len());
    for bytes in damaged {
        fs::write(&file, &bytes).unwrap();
        let read = Snapshot::read(&dirs);
        assert!(fs::read(&file).unwrap() == bytes, "reading changed the file");
        match Store::open(&dirs, "deploy").map(|store| store.view()) {
            // What was overwritten was a free page.
            Ok(opened) => {
                assert_eq!(opened.unwrap().records, read.unwrap().records);
                assert_eq!(Snapshot::read(&dirs).unwrap().records.len(), 50);
            }
            Err(error) => {
                refused += 1;
                assert!(fs::read(&file).unwrap() == bytes, "refusing changed the file");
                for error in [error, read.unwrap_err()] {
                    assert_eq!(error.kind(), ErrorKind::Corrupt, "{error:?}");
                    assert!(error.to_string().contains("state.redb"), "{error:?}");
                    assert!(error.next_step().is_some(), "{error:?}");
                }
            }
        }
    }
    println!("{refused} of {all} refused");
    assert!(refused > 35);
}

#[test]
fn a_newer_version_is_refused() {
    let (_base, dirs) = lab();
    drop(Store::open(&dirs, "deploy").unwrap());
    let db = redb::Database::open(dirs.state().join("state.redb")).unwrap();
    let transaction = db.begin_write().unwrap();
    let meta = redb::TableDefinition::<&str, &[u8]>::new("meta");
    transaction.open_table(meta).unwrap().insert("format", b"4".as_slice()).unwrap();
    transaction.commit().unwrap();
    drop(db);
    for error in [Snapshot::read(&dirs).unwrap_err(), Store::open(&dirs, "deploy").unwrap_err()] {
        assert_eq!(error.kind(), ErrorKind::Corrupt);
        assert!(
            chain(&error).contains("newer version of Carthage: its format is 4, and this version knows 3"),
            "{error}"
        );
    }
}

#[test]
fn a_lost_store_is_not_silently_a_fresh_one() {
    let (_base, dirs) = lab();
    drop(Store::open(&dirs, "deploy").unwrap());
    fs::create_dir(dirs.state().join("sandbox")).unwrap();
    drop(Store::open(&dirs, "deploy").unwrap());
    fs::remove_file(dirs.state().join("state.redb")).unwrap();
    let error = Store::open(&dirs, "deploy").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt);
    assert!(error.to_string().contains("`sandbox`"), "{error}");
    fs::remove_dir(dirs.state().join("sandbox")).unwrap();
    fs::write(dirs.state().join("state.redb.new"), "half made").unwrap();
    Store::open(&dirs, "deploy").unwrap();
}

#[test]
fn forgetting_leaves_what_was_there_before() {
    let (base, dirs) = lab();
    let before = listing(base.path());
    let store = Store::open(&dirs, "deploy").unwrap();
    store.put_record(&record("a", 1)).unwrap();
    assert!(store.forget().unwrap_err().to_string().contains("`machine:a`"));
    store.remove_record("machine:a").unwrap();
    fs::create_dir(dirs.cache().join("mirror.algebra")).unwrap();
    fs::write(dirs.cache().join("mirror.algebra/site.index"), "{}").unwrap();
    store.forget().unwrap();
    assert_eq!(store.begin_run().unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(listing(base.path()), before);
    drop(store);

    // What is not ours stays, and so do directories that were there.
    fs::create_dir(base.path().join("state")).unwrap();
    Store::open(&dirs, "deploy").unwrap().forget().unwrap();
    assert!(base.path().join("state").exists());
    let store = Store::open(&dirs, "deploy").unwrap();
    let notes = dirs.state().join("notes.txt");
    fs::write(&notes, "mine").unwrap();
    let error = store.forget().unwrap_err();
    assert!(error.to_string().contains("`notes.txt`") && error.next_step().is_some(), "{error:?}");
    drop(store);
    let store = Store::open(&dirs, "destroy").unwrap();
    assert_eq!(fs::read_to_string(&notes).unwrap(), "mine");
    fs::remove_file(notes).unwrap();
    store.forget().unwrap();
    assert!(!dirs.state().exists());
}

#[test]
fn a_directory_that_cannot_be_used_is_named() {
    let dirs = Dirs::find("lab", Some(Path::new("/proc/carthage"))).unwrap();
    let error = Store::open(&dirs, "deploy").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Host);
    assert!(error.to_string().contains("/proc/carthage"), "{error}");
    assert!(error.next_step().unwrap().contains("--state-dir"), "{error:?}");
    assert_eq!(Snapshot::read(&dirs).unwrap().id, None);
}

#[test]
fn killed_at_any_instant_it_has_lost_nothing() {
    let (_base, dirs) = lab();
    let mut last = 0;
    for round in 0..12 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "writes_until_killed", "--ignored", "--nocapture"])
            .env("STATE", dirs.state().parent().unwrap())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap());
        let mut text = String::new();
        while text.lines().filter(|line| line.starts_with("run ")).count() < 3 + round * 7 {
            assert!(lines.read_line(&mut text).unwrap() > 0, "the child ended: {text}");
            let seen = Snapshot::read(&dirs).unwrap();
            assert_eq!(seen.records.len() as u64, seen.records.get("machine:a").map_or(0, |_| 1));
        }
        child.kill().unwrap();
        child.wait().unwrap();
        lines.read_to_string(&mut text).unwrap();
        let told: u64 =
            text.lines().filter_map(|line| line.strip_prefix("run ")?.parse().ok()).max().unwrap();
        let read = Snapshot::read(&dirs).unwrap();
        assert!(read.run >= told && told > last, "told {told}, kept {}, before {last}", read.run);
        // The record and the outcome are one: the record is of the last finished change.
        let journal = Snapshot::journal(&dirs, 0).unwrap();
        let finished = journal.iter().rev().find(|entry| entry.outcome == Some(Outcome::Done)).unwrap();
        assert_eq!(read.records["machine:a"].run, finished.run);
        assert_eq!(lock::holder(&dirs).unwrap(), None, "the kernel has released the lock");
        let store = Store::open(&dirs, "deploy").unwrap();
        assert_eq!(store.view().unwrap().run, read.run);
        last = read.run;
    }
}

#[test]
#[ignore = "the child of `killed_at_any_instant_it_has_lost_nothing`"]
fn writes_until_killed() {
    let dirs = Dirs::find("lab", Some(Path::new(&std::env::var_os("STATE").unwrap()))).unwrap();
    let store = Store::open(&dirs, "deploy").unwrap();
    loop {
        let run = store.begin_run().unwrap();
        let intent = store.intend(run, "machine:a", "create").unwrap();
        intent.done(Change::Put(record("a", run))).unwrap();
        println!("run {run}");
        std::io::stdout().flush().unwrap();
    }
}
