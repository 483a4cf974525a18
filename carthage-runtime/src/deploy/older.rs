//! What an older version has left on a disk is read as it was meant. The files in `tests/older` are as the first version of each wrote them, and
//! stay as they are: whoever changes a format reads these as well, and adds what the new one looks like.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use redb::{Database, TableDefinition};
use serde_json::Value;

use super::runs::{logged_runs, run_log};
use super::{SavedPlan, Selection};
use crate::machine::MadeFrom;
use crate::machine::engine::Identity;
use crate::state::{Dirs, Outcome, Snapshot, Store, lock};
use crate::task::{Last, Stamp, Stamps};

const TEXTS: [&str; 2] = ["records", "values"];
const NUMBERS: [&str; 2] = ["unfinished", "journal"];

fn text(name: &str) -> String {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/older").join(name);
    fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

/// The store as it was, out of what is in its tables.
fn lay_down(path: &Path) {
    let tables: BTreeMap<String, Value> = serde_json::from_str(&text("state.json")).unwrap();
    let db = Database::create(path).unwrap();
    let transaction = db.begin_write().unwrap();
    let rows = |table: &str| tables[table].as_object().unwrap().clone();
    {
        let mut meta = transaction.open_table(TableDefinition::<&str, &[u8]>::new("meta")).unwrap();
        for (key, value) in rows("meta") {
            let bytes = match &*key {
                "key" => bytes_of(value.as_str().unwrap()),
                _ => value.to_string().into_bytes(),
            };
            meta.insert(&*key, &*bytes).unwrap();
        }
    }
    for name in TEXTS {
        let mut table = transaction.open_table(TableDefinition::<&str, &[u8]>::new(name)).unwrap();
        for (key, value) in rows(name) {
            let bytes = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            table.insert(&*key, bytes.as_bytes()).unwrap();
        }
    }
    for name in NUMBERS {
        let mut table = transaction.open_table(TableDefinition::<u64, &[u8]>::new(name)).unwrap();
        for (key, value) in rows(name) {
            table.insert(key.parse::<u64>().unwrap(), value.to_string().as_bytes()).unwrap();
        }
    }
    {
        let definition = TableDefinition::<(&str, &str), &[u8]>::new("assignments");
        let mut table = transaction.open_table(definition).unwrap();
        for (key, value) in rows("assignments") {
            table.insert(key.split_once('/').unwrap(), value.to_string().as_bytes()).unwrap();
        }
    }
    transaction.commit().unwrap();
}

fn bytes_of(hex: &str) -> Vec<u8> {
    (0..hex.len() / 2).map(|at| u8::from_str_radix(&hex[2 * at..2 * at + 2], 16).unwrap()).collect()
}

fn site() -> (tempfile::TempDir, Dirs, PathBuf) {
    let base = tempfile::tempdir().unwrap();
    let dirs = Dirs::find("testlab", Some(base.path())).unwrap();
    fs::create_dir(dirs.state()).unwrap();
    let store = dirs.state().join("state.redb");
    (base, dirs, store)
}

#[test]
fn the_store_of_the_first_version() {
    let (_base, dirs, path) = site();
    lay_down(&path);
    let snapshot = Snapshot::read(&dirs).unwrap();
    assert_eq!(snapshot.id.as_deref(), Some("114431b43caf4179754b514b3f408327"));
    assert_eq!(snapshot.run, 1);
    let records: Vec<_> = snapshot.records.keys().map(String::as_str).collect();
    assert_eq!(
        records,
        ["machine:gateway", "machine:worker-1", "machine:worker-2", "network:back", "network:front"]
    );
    let gateway = &snapshot.records["machine:gateway"];
    assert_eq!((&*gateway.implementation, &*gateway.path), ("Simulated", "gateway"));
    let made = MadeFrom::of(gateway).unwrap();
    assert_eq!(made.spec.memory_mb, Some(256));
    let interfaces: Vec<_> = made.spec.links.iter().map(|link| &*link.interface).collect();
    assert_eq!(interfaces, ["front", "back"]);
    let assignment = &snapshot.assignments[&("worker-1".to_owned(), "front".to_owned())];
    assert_eq!((&*assignment.network, assignment.address), ("front", Some([10, 63, 0, 5].into())));
    let journal = Snapshot::journal(&dirs, 0).unwrap();
    assert_eq!(journal.len(), 15);
    assert!(journal.iter().all(|entry| entry.outcome == Some(Outcome::Done)));
    assert_eq!(snapshot.unfinished[0].thing, "task:worker-2/join.join");
    assert_eq!(snapshot.values.len(), 1);
    assert_eq!(snapshot.hash_key.as_ref().map(|key| key.bytes()[..2].to_vec()), Some(vec![0xab, 0xcd]));
    // It is carried on.
    let store = Store::open(&dirs, "deploy").unwrap();
    assert_eq!(store.begin_run().unwrap(), 2);
    let intent = store.intend(2, "machine:gateway", "stop").unwrap();
    assert_eq!(intent.entry().seq, 1 + snapshot.unfinished[0].seq);
}

/// In the second version, what a run announces is in a file.
#[test]
fn the_journal_of_the_second_version() {
    let (_base, dirs, path) = site();
    lay_down(&path);
    let store = Store::open(&dirs, "deploy").unwrap();
    store.begin_run().unwrap();
    drop(store);
    fs::create_dir(dirs.state().join("journal")).unwrap();
    fs::write(dirs.state().join("journal/2.ndjson"), text("journal.ndjson")).unwrap();
    let snapshot = Snapshot::read(&dirs).unwrap();
    let left: Vec<_> = snapshot.unfinished.iter().map(|entry| (&*entry.thing, &*entry.action)).collect();
    assert_eq!(left, [("task:worker-2/join.join", "run"), ("task:worker-1/join.configure", "run")]);
    let ended = Snapshot::journal(&dirs, 1).unwrap();
    assert_eq!(ended[0].outcome, Some(Outcome::Done));
    assert_eq!(ended[1].outcome, Some(Outcome::Failed("it did not start: no room".to_owned())));
    assert_eq!((ended.len(), ended[1].seq, &*ended[1].thing), (2, 18, "machine:worker-1"));
}

#[test]
fn files_of_the_first_version() {
    let (base, dirs, _) = site();
    let stamps_dir = dirs.cache().join("stamps/gateway");
    fs::create_dir_all(&stamps_dir).unwrap();
    fs::write(stamps_dir.join("base.motd"), text("stamp")).unwrap();
    let stamps = Stamps::new(dirs.storage().clone(), stamps_dir.clone(), "114431b43caf4179754b514b3f408327");
    let Last::Ran(stamp) = stamps.read("base.motd") else { panic!("{:?}", stamps.read("base.motd")) };
    let at = SystemTime::UNIX_EPOCH + Duration::from_secs(1_796_044_804);
    assert_eq!((stamp.run, stamp.step, stamp.at, stamp.said), (1, 1, at, None));
    assert_eq!(
        (&*stamp.target.0, stamp.source, stamp.user.as_deref()),
        ("367ffb2c2c47b25f", 7_365_512_315_170_107_338, None)
    );
    assert_eq!(stamps.of_tasks_gone(&Default::default()).unwrap(), ["base.motd"]);
    fs::write(stamps_dir.join("base.motd"), text("stamp").replace("\"version\":1", "\"version\":3")).unwrap();
    assert_eq!(stamps.read("base.motd"), Last::Unreadable("it is of another version".to_owned()));

    // Of the second version: what is said in the file of all counts, and older files beside it do not.
    fs::write(stamps_dir.join("@stamps.ndjson"), text("stamps.ndjson")).unwrap();
    assert_eq!(stamps.read("base.motd"), Last::Ran(Stamp { run: 2, step: 3, ..stamp }));
    assert_eq!(stamps.read("base.hosts"), Last::Failed(2, Identity("367ffb2c2c47b25f".to_owned())));
    assert_eq!(stamps.read("base.gone"), Last::Never);

    let logs = dirs.logs().join("runs");
    fs::create_dir_all(&logs).unwrap();
    fs::write(logs.join("1.ndjson"), text("run.ndjson")).unwrap();
    let runs = logged_runs(&dirs).unwrap();
    assert_eq!((runs[0].run, &*runs[0].command, runs[0].done, runs[0].failed), (1, "deploy", 13, 0));
    let (run, events) = run_log(&dirs, None, &Selection::all()).unwrap();
    assert_eq!(
        (run, &events[1]["event"], &events[1]["thing"]),
        (1, &"begun".into(), &"network:front".into())
    );

    let plan = base.path().join("plan");
    fs::write(&plan, text("plan")).unwrap();
    let saved = serde_json::to_value(SavedPlan::read(&plan).unwrap()).unwrap();
    let written: Value = serde_json::from_str(text("plan").lines().nth(1).unwrap()).unwrap();
    assert_eq!(saved, written);
    assert_eq!(saved["steps"][0]["thing"], "task:gateway/base.motd");
}

#[test]
fn the_lock_of_an_older_and_of_a_newer_version() {
    let (_base, dirs, _) = site();
    let _store = {
        fs::remove_dir(dirs.state()).unwrap();
        Store::open(&dirs, "destroy").unwrap()
    };
    let first = text("lock");
    for text in [first.clone(), first.replace('{', "{\"version\":2,\"more\":[1],")] {
        fs::write(dirs.state().join("lock"), text).unwrap();
        let holder = lock::holder(&dirs).unwrap().flatten().unwrap();
        assert_eq!((holder.pid, &*holder.user, &*holder.command), (4711, "ann", "deploy"));
    }
}
