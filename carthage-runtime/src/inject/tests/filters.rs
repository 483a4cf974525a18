//! Filters find what is meant, in time that grows with what is found.

use std::sync::atomic::Ordering;

use super::*;

const A_RED_2: Key = A.and(const { &[Constraint::text(SITE, "red"), Constraint::number(HALL, 2)] });
const ANY_SITE: Key = A.and(const { &[Constraint::any(SITE)] });
const HALL_2: Key = A.and(const { &[Constraint::number(HALL, 2)] });

fn names(found: &[(Key, Slot)]) -> Vec<&str> {
    found.iter().map(|(_, slot)| slot.name()).collect()
}

#[tokio::test]
async fn by_type_by_value_and_by_kind_of_constraint() {
    let outer = Scope::root("outer");
    let inner = outer.child("inner");
    outer.provide(A, "plain".into(), constant(1));
    outer.provide(A_RED, "red".into(), constant(2));
    outer.provide(B, "other".into(), constant(3));
    inner.provide(A_BLUE, "blue".into(), constant(4));
    inner.provide(A_RED_2, "red 2".into(), constant(5));
    assert_eq!(names(&inner.visible(A)), ["blue", "red 2", "plain", "red"]);
    assert_eq!(names(&inner.visible(ANY_SITE)), ["blue", "red 2", "red"]);
    assert_eq!(names(&inner.visible(A_RED)), ["red 2", "red"]);
    assert_eq!(names(&inner.visible(HALL_2)), ["red 2"]);
    assert_eq!(names(&outer.visible(A)), ["plain", "red"]);
    assert_eq!(names(&outer.inside(A)), ["plain", "red", "blue", "red 2"]);
    assert_eq!(names(&outer.inside(HALL_2)), ["red 2"]);
    assert!(outer.visible(C).is_empty() && outer.inside(C).is_empty());
}

#[tokio::test]
async fn what_is_nearer_or_masked_hides_what_is_around() {
    let outer = Scope::root("outer");
    let inner = outer.child("inner");
    outer.provide(A, "outer".into(), constant(1));
    outer.provide(A_RED, "red".into(), constant(2));
    inner.provide(A, "inner".into(), constant(3));
    assert_eq!(names(&inner.visible(A)), ["inner", "red"]);
    inner.mask(A_RED);
    assert_eq!(names(&inner.visible(A)), ["inner"]);
    assert_eq!(names(&outer.visible(A)), ["outer", "red"]);
}

#[tokio::test]
async fn a_filter_stops_where_it_is_told() {
    let outer = Scope::root("outer");
    let (middle, beside) = (outer.child("middle"), outer.child("beside"));
    let inner = middle.child("inner");
    outer.provide(A, "outer".into(), constant(1));
    middle.provide(A_RED, "middle".into(), constant(2));
    inner.provide(A_BLUE, "inner".into(), constant(3));
    let up_to = |last: &Scope| inner.visible_up_to(A, last).map(|found| names(&found).join(" "));
    assert_eq!(up_to(&outer).unwrap(), "inner middle outer");
    assert_eq!(up_to(&middle).unwrap(), "inner middle");
    assert_eq!(up_to(&inner).unwrap(), "inner");
    assert_eq!(up_to(&beside).unwrap_err().to_string(), "`beside` is not around `inner`");
}

/// notready_cycles_okay: to see what there is makes nothing, and waits for nothing.
#[tokio::test]
async fn a_maker_may_look_at_its_like_and_at_itself() {
    let scope = Scope::root("s");
    scope.provide(A, "a".into(), constant(1));
    let around = scope.clone();
    scope.provide(
        A_RED,
        "red".into(),
        Box::new(move |_| {
            let seen = around.visible(A);
            Box::pin(async move { Ok(value(u32::try_from(seen.len()).unwrap())) })
        }),
    );
    assert_eq!(get(&scope, A_RED).await.unwrap(), 2);
    assert!(scope.find(A).unwrap().value().is_none());
}

/// filter_failure
#[tokio::test]
async fn one_that_cannot_be_made_fails_by_its_name() {
    let scope = Scope::root("s");
    scope.provide(A, "good".into(), constant(1));
    scope.provide(A_RED, "bad".into(), Box::new(|_| Box::pin(async { Err(failure("no plugin")) })));
    let made = join_all(scope.visible(A).iter().map(|(_, slot)| slot.get(None))).await;
    let errors: Vec<_> = made.into_iter().filter_map(Result::err).map(|e| crate::chain(&e)).collect();
    assert_eq!(errors, ["cannot make bad: no plugin"]);
}

#[tokio::test]
async fn a_scope_that_is_gone_is_no_longer_looked_at() {
    let root = Scope::root("root");
    let kept = root.child("kept");
    kept.provide(A, "kept".into(), constant(1));
    let looked_at = || {
        let before = root.0.tree.looked_at.load(Ordering::Relaxed);
        assert_eq!(names(&root.inside(A)), ["kept"]);
        root.0.tree.looked_at.load(Ordering::Relaxed) - before
    };
    let before = looked_at();
    for nth in 0..100 {
        let call = root.child(format!("call {nth}")).child("inner");
        call.provide(A, "call".into(), constant(nth));
        call.provide(B, "b".into(), constant(nth));
        assert_eq!(names(&root.inside(A)), ["kept", "call"]);
    }
    assert_eq!(looked_at(), before);
    assert!(root.inside(B).is_empty());
    assert!(root.0.children.lock().unwrap().len() < 10);
}

/// Counted, not timed: a hundred times as much around changes nothing.
#[tokio::test]
async fn a_filter_looks_at_what_it_finds_only() {
    let looked_at = |others: usize| {
        let root = Scope::root("root");
        let all: Vec<_> = (0..others).map(|nth| root.child(format!("s{nth}"))).collect();
        for scope in &all {
            scope.provide(B, "b".into(), constant(0));
            scope.provide(A_BLUE, "blue".into(), constant(0));
        }
        let meant: Vec<_> = all.iter().step_by(others / 5).collect();
        meant.iter().for_each(|scope| _ = scope.provide(A_RED, "red".into(), constant(0)));
        let before = root.0.tree.looked_at.load(Ordering::Relaxed);
        assert_eq!(root.inside(A_RED).len(), 5);
        assert_eq!(meant[2].visible(A_RED).len(), 1);
        root.0.tree.looked_at.load(Ordering::Relaxed) - before
    };
    assert_eq!(looked_at(10), looked_at(1000));
    assert!(looked_at(1000) < 25, "{}", looked_at(1000));
}
