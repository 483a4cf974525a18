//! Stamps in their file: written, damaged, made short, taken over.

use std::fs;
use std::os::unix::fs::MetadataExt;

use super::*;
use crate::state::storage::usual;
use crate::task::completed::since_1970;

fn stamps() -> (tempfile::TempDir, Stamps) {
    let base = tempfile::tempdir().unwrap();
    let stamps = Stamps::new(usual(), base.path().join("algebra/mirror"), "aa");
    stamps.make_room().unwrap();
    (base, stamps)
}

/// As another process sees them.
fn again(stamps: &Stamps, layout: &str) -> Stamps {
    Stamps::new(usual(), stamps.of.dir.clone(), layout)
}

fn target() -> Identity {
    Identity("m1".into())
}

fn stamp(run: u64) -> Stamp {
    let inputs = Some(crate::task::digest(&8080).keyed(&crate::state::HashKey::generate().unwrap()));
    let user = Some("web".into());
    Stamp {
        run,
        step: 1,
        at: since_1970(60, 7),
        said: Some(since_1970(50, 0)),
        target: target(),
        inputs,
        source: u64::MAX,
        user,
    }
}

#[test]
fn one_after_another() {
    let (_base, stamps) = stamps();
    for is_held in [false, true] {
        let held = is_held.then(|| stamps.hold());
        assert_eq!(stamps.read("site.index"), Last::Never);
        stamps.remove(&["site.index".into()]).unwrap();
        stamps.begin("site.index", 3, &target(), false).unwrap();
        assert_eq!(stamps.read("site.index"), Last::Begun(3, target()));
        stamps.failed("site.index", 3, &target(), true).unwrap();
        assert_eq!(stamps.read("site.index"), Last::Failed(3, target()));
        let stamp = stamp(4);
        stamps.ran("site.index", stamp.clone()).unwrap();
        stamps.sync().unwrap();
        assert_eq!(stamp.to_string(), "run 4, 1970-01-01T00:00:50Z, as web");
        for seen in [&stamps, &again(&stamps, "aa")] {
            assert_eq!(seen.read("site.index"), Last::Ran(stamp.clone()));
            assert_eq!(seen.read("site.serve"), Last::Never);
        }
        let file = fs::metadata(&stamps.of.path).unwrap();
        assert_eq!(file.mode() & 0o777, 0o600);
        stamps.begin("site.index", 5, &target(), true).unwrap();
        stamps.as_before("site.index", &Last::Ran(stamp.clone()), false).unwrap();
        assert_eq!(again(&stamps, "aa").read("site.index"), Last::Ran(stamp));
        stamps.remove(&["site.index".into()]).unwrap();
        assert_eq!(again(&stamps, "aa").read("site.index"), Last::Never);
        drop(held);
        assert!(!stamps.of.is_kept());
    }
    stamps.clear().unwrap();
    stamps.clear().unwrap();
    assert!(!stamps.of.dir.exists() && !stamps.have_room());
}

#[test]
fn tasks_that_are_gone_are_known_by_their_stamps() {
    let (_base, stamps) = stamps();
    let gone = |known: &[&str]| stamps.of_tasks_gone(&known.iter().map(|s| (*s).to_owned()).collect());
    assert_eq!(gone(&[]).unwrap(), Vec::<String>::new());
    stamps.ran("site.serve", stamp(1)).unwrap();
    stamps.begin("site.index", 1, &target(), false).unwrap();
    stamps.by_hand().ran("extra.serve", stamp(1)).unwrap();
    stamps.ran("was", stamp(1)).unwrap();
    stamps.remove(&["was".into()]).unwrap();
    assert_eq!(gone(&[]).unwrap(), ["site.index", "site.serve"]);
    assert_eq!(gone(&["site.index"]).unwrap(), ["site.serve"]);
    assert_eq!(again(&stamps, "bb").of_tasks_gone(&BTreeSet::new()).unwrap(), Vec::<String>::new());
    fs::remove_file(&stamps.of.path).unwrap();
    fs::create_dir(&stamps.of.path).unwrap();
    let error = gone(&[]).unwrap_err();
    assert!(error.to_string().starts_with("cannot read the stamps in `"), "{error}");
    assert!(matches!(stamps.read("site.serve"), Last::Unreadable(_)));
}

#[test]
fn what_cannot_be_read_makes_all_before_it_unusable_and_what_is_not_whole_nothing() {
    let (_base, stamps) = stamps();
    stamps.ran("t", stamp(1)).unwrap();
    let good = fs::read(&stamps.of.path).unwrap();
    stamps.ran("u", stamp(1)).unwrap();
    let both = fs::read(&stamps.of.path).unwrap();
    let second = &both[good.len()..];
    let read = |text: &[u8]| {
        fs::write(&stamps.of.path, text).unwrap();
        ["t", "u"].map(|task| matches!(stamps.read(task), Last::Ran(_)))
    };
    assert_eq!(read(&both), [true, true]);
    for torn in ["", "{", "\0\0\0", "[]", std::str::from_utf8(&second[..second.len() - 1]).unwrap()] {
        assert_eq!(read(&[&good, torn.as_bytes()].concat()), [true, false], "{torn}");
        // It is not there any more for who writes on it.
        stamps.ran("u", stamp(2)).unwrap();
        assert!(matches!(again(&stamps, "aa").read("u"), Last::Ran(stamp) if stamp.run == 2), "{torn}");
        assert!(matches!(stamps.read("t"), Last::Ran(_)), "{torn}");
    }
    // What was begun is not taken for done, whatever is behind it.
    stamps.begin("t", 3, &target(), true).unwrap();
    let begun = fs::read(&stamps.of.path).unwrap();
    for after in [&b"\0\0\0\n"[..], b"{\n"] {
        read(&[&begun, after, second].concat());
        assert_eq!(stamps.read("t"), Last::Begun(3, target()));
    }
    for bad in ["", "{", "\0\0\0", "[]"] {
        let text = [&good, bad.as_bytes(), b"\n", second].concat();
        assert_eq!(read(&text), [false, true], "{bad}");
        assert_eq!(stamps.read("t"), Last::Unreadable("it is damaged".into()));
    }
    // One of a later version tells of which task it is.
    let newer = String::from_utf8(second.to_vec()).unwrap();
    for newer in [newer.replace("\"ran\"", "\"elsewhere\""), newer] {
        let newer = newer.replace("\"version\":2", "\"version\":3");
        assert_eq!(read(&[&good, newer.as_bytes()].concat()), [true, false]);
        assert_eq!(stamps.read("u"), Last::Unreadable("it is of another version".into()));
    }
    read(&both);
    let other = again(&stamps, "bb");
    assert!(matches!(other.read("t"), Last::Unreadable(why) if why.contains("from before")));
}

#[test]
fn a_file_that_has_grown_long_is_made_short_and_says_the_same() {
    let (_base, stamps) = stamps();
    fs::write(&stamps.of.path, "damaged\n").unwrap();
    for run in 0..200 {
        stamps.begin("t", run, &target(), false).unwrap();
    }
    stamps.ran("u", stamp(1)).unwrap();
    again(&stamps, "bb").begin("v", 1, &target(), false).unwrap();
    stamps.remove(&["u".into()]).unwrap();
    let says = |stamps: &Stamps| ["t", "u", "v"].map(|task| stamps.read(task));
    let (before, lines) = (says(&stamps), || fs::read_to_string(&stamps.of.path).unwrap().lines().count());
    assert_eq!((&before[0], &before[1], lines()), (&Last::Begun(199, target()), &Last::Never, 204));
    let _held = stamps.hold();
    assert!(stamps.read("t") == before[0] && !stamps.have_room());
    stamps.make_room().unwrap();
    assert_eq!((says(&stamps), lines(), stamps.have_room()), (before.clone(), 2, true));
    stamps.begin("u", 2, &target(), true).unwrap();
    assert_eq!(
        (says(&again(&stamps, "aa")), lines()),
        ([before[0].clone(), Last::Begun(2, target()), before[2].clone()], 3)
    );
    assert_eq!(fs::read_dir(&stamps.of.dir).unwrap().count(), 1);
}

#[test]
fn files_of_the_first_version_become_one() {
    let (_base, stamps) = stamps();
    let first = |state: &str| format!("{{\"version\":1,\"layout\":\"aa\",\"in_layout\":true,{state}}}");
    let write = |task: &str, text: &str| fs::write(stamps.of.dir.join(task), text).unwrap();
    write("a", &first("\"state\":\"ran\",\"run\":3,\"target\":\"m1\",\"inputs\":null,\"source\":7"));
    write("b", &first("\"state\":\"begun\",\"run\":4,\"target\":\"m1\""));
    write("c", "{");
    write(".a.new", "{");
    let ran = Stamp {
        run: 3,
        step: 0,
        at: since_1970(0, 0),
        said: None,
        target: target(),
        inputs: None,
        source: 7,
        user: None,
    };
    let said =
        [Last::Ran(ran), Last::Begun(4, target()), Last::Unreadable("it is damaged".into()), Last::Never];
    let says = |stamps: &Stamps| ["a", "b", "c", "d"].map(|task| stamps.read(task));
    assert_eq!(says(&stamps), said);
    assert_eq!(stamps.of_tasks_gone(&BTreeSet::new()).unwrap(), ["a", "b"]);
    // Whoever only looks changes nothing.
    assert_eq!(fs::read_dir(&stamps.of.dir).unwrap().count(), 4);
    stamps.begin("d", 5, &target(), false).unwrap();
    assert_eq!(
        says(&again(&stamps, "aa")),
        [said[0].clone(), said[1].clone(), said[2].clone(), Last::Begun(5, target())]
    );
    assert_eq!(fs::read_dir(&stamps.of.dir).unwrap().count(), 2);
}
