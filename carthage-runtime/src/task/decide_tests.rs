//! Tests of the decision: a table of every reason.

use std::time::Duration;

use super::*;
use crate::state::HashKey;
use crate::task::{Stamp, digest};

pub(super) fn id(name: &str) -> Identity {
    Identity(name.into())
}

fn inputs(value: u32) -> Inputs {
    Inputs::Known(Some(hash(value)))
}

pub(super) fn hash(value: u32) -> InputHash {
    static KEY: std::sync::OnceLock<HashKey> = std::sync::OnceLock::new();
    digest(&value).keyed(KEY.get_or_init(|| HashKey::generate().unwrap()))
}

/// A time, in seconds.
pub(super) fn at(seconds: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
}

fn done(run: u64, step: u64) -> Earlier {
    Earlier::Ran(Since { run, step, at: at(run), found: false })
}

/// It ran in this run, and ended at the second of the same number.
fn ran(run: u64) -> Last {
    Last::Ran(Stamp {
        run,
        step: 0,
        at: at(run),
        said: None,
        target: id("m1"),
        inputs: Some(hash(8080)),
        source: 1,
        user: None,
    })
}

pub(super) fn check(name: &str, answer: Answer) -> Option<Check<'_>> {
    Some(Check { name, answer })
}

/// Decides for a task that is done and valid, but for what `change` changes.
fn decided(last: &Last, change: impl FnOnce(&mut Facts<'_>)) -> String {
    let m1 = id("m1");
    let m1 = Box::leak(Box::new(m1));
    let mut facts = Facts {
        forced: false,
        last,
        target: Target::Exists(m1),
        before: &[],
        inputs: inputs(8080),
        user: None,
        source: 1,
        completed: None,
        valid: None,
        blocks: None,
    };
    change(&mut facts);
    match decide(&facts) {
        Decision::Run(reason) => format!("run: {reason}"),
        Decision::Unknown(reason) => format!("unknown: {reason}"),
        other => format!("{other:?}"),
    }
}

macro_rules! before {
    ($($name:literal is $is:expr),*) => { Vec::leak(vec![$(Before { name: $name, is: $is }),*]) };
}

#[test]
fn by_its_stamp() {
    let done = ran(5);
    assert_eq!(decided(&done, |_| ()), "Skip");
    assert_eq!(decided(&done, |f| f.forced = true), "run: forced");
    assert_eq!(decided(&done, |f| f.user = Some("web")), "run: its user changed from root to web");
    assert_eq!(decided(&Last::Never, |_| ()), "run: never ran");
    assert_eq!(decided(&Last::Unreadable("bad".into()), |_| ()), "run: its stamp cannot be used: bad");
    assert_eq!(decided(&Last::Begun(4, id("m1")), |_| ()), "run: was interrupted in run 4");
    assert_eq!(decided(&Last::Failed(4, id("m1")), |_| ()), "run: failed in run 4");
    assert_eq!(decided(&done, |f| f.inputs = inputs(1)), "run: its inputs changed");
    assert_eq!(decided(&done, |f| f.inputs = Inputs::Known(None)), "run: its inputs changed");
    assert_eq!(
        decided(&done, |f| f.inputs = Inputs::Unknown("no token yet".into())),
        "unknown: cannot be told yet: its inputs are not known: no token yet"
    );
    assert_eq!(decided(&done, |f| f.source = 2), "run: its source changed");
}

#[test]
fn another_machine() {
    static M2: std::sync::LazyLock<Identity> = std::sync::LazyLock::new(|| id("m2"));
    for last in [ran(5), Last::Begun(4, id("m1")), Last::Failed(4, id("m1")), ran(5)] {
        assert_eq!(decided(&last, |f| f.target = Target::Exists(&M2)), "run: the machine is new");
        assert_eq!(decided(&last, |f| f.target = Target::New), "run: the machine is new");
    }
    assert_eq!(decided(&Last::Never, |f| f.target = Target::New), "run: never ran");
}

#[test]
fn after_others() {
    use Earlier::*;
    let last = ran(5);
    assert_eq!(
        decided(&last, |f| f.before = before!["a" is Never, "b" is done(4, 9), "c" is done(5, 0)]),
        "Skip"
    );
    // Later in the same run, when one is forced by hand.
    assert_eq!(decided(&last, |f| f.before = before!["a" is done(5, 1)]), "run: `a` ran later, in run 5");
    assert_eq!(
        decided(&last, |f| f.before = before!["a" is done(4, 0), "b" is done(6, 0)]),
        "run: `b` ran later, in run 6"
    );
    assert_eq!(decided(&last, |f| f.before = before!["a" is WillRun]), "run: `a` runs before it");
    assert_eq!(decided(&last, |f| f.before = before!["a" is RanNow(at(9))]), "run: `a` runs before it");
    assert_eq!(
        decided(&last, |f| f.before = before!["a" is MayRun]),
        "unknown: cannot be told yet: `a` may run before it"
    );
    // What is certain wins over what is not.
    assert_eq!(
        decided(&last, |f| f.before = before!["a" is MayRun, "b" is WillRun]),
        "run: `b` runs before it"
    );
    assert_eq!(
        decided(&last, |f| {
            f.before = before!["a" is MayRun];
            f.source = 2;
        }),
        "run: its source changed"
    );
}

#[test]
fn by_its_invalidator() {
    let done = ran(5);
    let with = |answer| decided(&done, |f| f.valid = check("serving", answer));
    assert_eq!(with(Answer::NotAsked), "AskValid");
    assert_eq!(with(Answer::Yes), "Skip");
    assert_eq!(with(Answer::No), "run: no longer valid: `serving` said no");
    assert_eq!(
        with(Answer::CannotAsk),
        "unknown: cannot be told until the machine runs: then `serving` is asked"
    );
    // It is only asked when nothing else makes the task run.
    let changed = decided(&done, |f| {
        f.valid = check("serving", Answer::NotAsked);
        f.source = 2;
    });
    assert_eq!(changed, "run: its source changed");
}

#[test]
fn by_its_check() {
    use Earlier::*;
    let with = |last: &Last, answer| decided(last, |f| f.completed = check("there", answer));
    for last in [ran(5), Last::Never, Last::Unreadable("bad".into()), Last::Begun(4, id("old"))] {
        assert_eq!(with(&last, Answer::NotAsked), "AskCompleted");
        assert_eq!(with(&last, Answer::No), "run: not done: `there` said no");
        assert_eq!(
            with(&last, Answer::CannotAsk),
            "unknown: cannot be told until the machine runs: then `there` is asked"
        );
        assert_eq!(with(&last, Answer::Yes), if last == ran(5) { "Skip" } else { "Adopt(None)" });
    }
    // A body that did not end may have left what makes the check say yes.
    assert_eq!(with(&Last::Begun(4, id("m1")), Answer::Yes), "run: was interrupted in run 4");
    assert_eq!(with(&Last::Failed(4, id("m1")), Answer::Yes), "run: failed in run 4");

    let last = ran(5);
    for (is, expected) in [
        (WillRun, "unknown: cannot be told yet: `there` is asked after `a`"),
        (MayRun, "unknown: cannot be told yet: `there` is asked after `a`"),
        (RanNow(at(9)), "AskCompleted"),
        (done(9, 0), "AskCompleted"),
    ] {
        let decision = decided(&last, |f| {
            f.before = Box::leak(Box::new([Before { name: "a", is }]));
            f.completed = check("there", Answer::NotAsked);
        });
        assert_eq!(decision, expected);
    }
    // Neither inputs nor source count, only the check and the invalidator.
    let both = |completed, valid| {
        decided(&last, |f| {
            f.source = 2;
            f.inputs = inputs(1);
            f.completed = check("there", completed);
            f.valid = check("serving", valid);
        })
    };
    assert_eq!(both(Answer::Yes, Answer::NotAsked), "AskValid");
    assert_eq!(both(Answer::Yes, Answer::No), "run: no longer valid: `serving` said no");
    assert_eq!(both(Answer::Yes, Answer::Yes), "Skip");
    assert_eq!(both(Answer::No, Answer::NotAsked), "run: not done: `there` said no");
}

/// One that was found done, since this second.
fn found(run: u64, second: u64) -> Last {
    let Last::Ran(stamp) = ran(run) else { unreachable!() };
    Last::Ran(Stamp { at: at(second), said: Some(at(second)), ..stamp })
}

#[test]
fn by_the_time_that_its_check_says() {
    use Earlier::*;
    let with = |last: &Last, second: u64, is: Earlier| {
        decided(last, |f| {
            f.before = Box::leak(Box::new([Before { name: "a", is }]));
            f.completed = check("there", Answer::Since(at(second)));
        })
    };
    let adopted = |second| format!("{:?}", Decision::Adopt(Some(at(second))));
    let (ran_at, found_at) = (|second| done(second, 7), |second| Ran(Since::found(at(second))));
    // Nobody knows more of it than that.
    for last in [Last::Never, Last::Unreadable("bad".into()), ran(5), found(5, 3), Last::Begun(4, id("old"))]
    {
        assert_eq!(with(&last, 20, ran_at(20)), adopted(20));
        assert_eq!(with(&last, 20, Never), adopted(20));
        assert_eq!(with(&last, 20, found_at(20)), adopted(20));
        assert_eq!(with(&last, 20, RanNow(at(20))), adopted(20));
        assert_eq!(with(&last, 20, ran_at(21)), "run: `a` ran later, in run 21");
        assert_eq!(with(&last, 20, RanNow(at(21))), "run: `a` runs before it");
        assert_eq!(with(&last, 20, found_at(21)), "run: `a` was done later, at 1970-01-01T00:00:21Z");
    }
    // It is still as it was found.
    assert_eq!(with(&found(5, 20), 20, ran_at(20)), "Skip");
    assert_eq!(with(&found(5, 20), 20, ran_at(21)), "run: `a` ran later, in run 21");
    // It is still as it was left, whatever clock its check goes by.
    let Last::Ran(stamp) = ran(5) else { unreachable!() };
    for second in [1, 1000] {
        let left = Last::Ran(Stamp { said: Some(at(second)), ..stamp.clone() });
        assert_eq!(with(&left, second, done(4, 0)), "Skip");
        assert_eq!(with(&left, second, found_at(5)), "Skip");
        assert_eq!(with(&left, second, done(6, 0)), "run: `a` ran later, in run 6");
        assert_eq!(with(&left, second, RanNow(at(2))), "run: `a` runs before it");
        assert!(with(&left, second, found_at(6)).starts_with("run: `a` was done later"));
    }
    // A body that did not end, a user's wish and an invalidator count as without a time.
    assert_eq!(with(&Last::Failed(4, id("m1")), 20, Never), "run: failed in run 4");
    let invalid = decided(&found(5, 20), |f| {
        f.completed = check("there", Answer::Since(at(20)));
        f.valid = check("serving", Answer::No);
    });
    assert_eq!(invalid, "run: no longer valid: `serving` said no");
}

#[test]
fn what_is_found_done_makes_run_what_is_older() {
    let with = |last: &Last, second| {
        decided(last, |f| f.before = before!["a" is Earlier::Ran(Since::found(at(second)))])
    };
    assert_eq!(with(&ran(5), 5), "Skip");
    assert_eq!(with(&ran(5), 6), "run: `a` was done later, at 1970-01-01T00:00:06Z");
    assert_eq!(with(&found(9, 6), 6), "Skip");
    // What is said of it in a plan is what it is afterwards.
    let adopted = Decision::Adopt(Some(at(6))).planned(&Last::Never);
    let Earlier::Ran(after) = Decision::Skip.planned(&found(9, 6)) else { unreachable!() };
    assert_eq!((adopted, after.at, after.found), (Earlier::Ran(Since::found(at(6))), at(6), true));
}

#[test]
fn building_blocks_are_compared_when_nothing_else_says_run() {
    let with = |answer: Answer| decided(&ran(5), |facts| facts.blocks = Some(answer));
    assert_eq!(with(Answer::NotAsked), "AskBlocks");
    assert_eq!(with(Answer::Yes), "Skip");
    assert_eq!(with(Answer::Differs("`/etc/motd` differs".into())), "run: `/etc/motd` differs");
    assert!(with(Answer::CannotAsk).starts_with("unknown: cannot be told until the machine runs"));
}
