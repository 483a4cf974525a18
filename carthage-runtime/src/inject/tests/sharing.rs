//! Who gets which instance: constraints, masks, values for each asker, several keys, other scopes, overrides.

use super::*;
use crate::inject::MakingEach;

/// W-B9, W-B12: a constrained key is found by exactly itself.
#[tokio::test]
async fn constraints_tell_values_of_one_type_apart() {
    let scope = Scope::root("s");
    scope.provide(A_RED, "red".into(), constant(1));
    scope.provide(A_BLUE, "blue".into(), constant(2));
    assert_eq!((get(&scope, A_RED).await.unwrap(), get(&scope, A_BLUE).await.unwrap()), (1, 2));
    assert!(scope.find(A).is_none(), "a plain key means no arbitrary one of them");
    scope.provide(A, "plain".into(), constant(3));
    assert_eq!(get(&scope, A).await.unwrap(), 3);
}

/// override_dependency, override_replaces_subinjector, none_kwargs
#[tokio::test]
async fn an_override_is_for_one_call_only() {
    let scope = Scope::root("s");
    let original = scope.provide(A, "a".into(), constant(30));
    let call = scope.child("call");
    call.provide(A, "a".into(), constant(20));
    assert_eq!((get(&call, A).await.unwrap(), get(&scope, A).await.unwrap()), (20, 30));
    assert_eq!(number(&original).await.unwrap(), 30);
    assert!(std::ptr::eq(call.upwards().nth(1).unwrap().name(), scope.name()));
    let nothing = scope.child("call without");
    nothing.mask(A);
    assert!(nothing.find(A).is_none() && scope.find(A).is_some());
}

#[tokio::test]
async fn a_mask_hides_what_is_around_from_all_inside() {
    let outer = Scope::root("outer");
    let masked = outer.child("masked");
    let inner = masked.child("inner");
    outer.provide(A, "a".into(), constant(1));
    outer.provide(A_RED, "a red".into(), constant(2));
    masked.mask(A);
    assert!(masked.find(A).is_none() && inner.find(A).is_none());
    assert_eq!(get(&inner, A_RED).await.unwrap(), 2, "only that key");
    assert_eq!(get(&outer, A).await.unwrap(), 1);
    inner.provide(A, "a".into(), constant(3));
    assert_eq!(get(&inner, A).await.unwrap(), 3, "what is provided inside of a mask is seen");
    let own = outer.child("own");
    own.provide(B, "b".into(), constant(4));
    own.mask(B);
    assert_eq!(get(&own, B).await.unwrap(), 4, "a scope does not hide its own");
}

/// A value of the name of the scope that asks, and a number.
fn each() -> Box<MakingEach> {
    let made = std::sync::atomic::AtomicU32::new(1);
    Box::new(move |asker, _| {
        let next = made.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        let named = u32::try_from(asker.number()).unwrap();
        Box::pin(async move { Ok(value(100 * named + next)) })
    })
}

/// allow_multiple
#[tokio::test]
async fn siblings_and_their_parent_have_instances_of_their_own() {
    let parent = Scope::root("parent");
    let (one, two) = (parent.child("one"), parent.child("two"));
    parent.provide_each(A, "a".into(), each(), None);
    assert_eq!(get(&one, A).await.unwrap(), 101);
    assert_eq!(get(&two, A).await.unwrap(), 202);
    assert_eq!(get(&parent, A).await.unwrap(), 3);
    assert_eq!(get(&one, A).await.unwrap(), 101);
}

/// allow_multiple_provider_at_root: what siblings get does not hang on who asked first; what they are to share is provided
/// once, where it is shared.
#[tokio::test]
async fn who_asks_first_changes_nothing() {
    let parent = Scope::root("parent");
    parent.provide_each(A, "a".into(), each(), None);
    assert_eq!(get(&parent, A).await.unwrap(), 1);
    let (one, two) = (parent.child("one"), parent.child("two"));
    assert_eq!((get(&one, A).await.unwrap(), get(&two, A).await.unwrap()), (102, 203));

    let shared = parent.child("shared");
    let own = shared.find(A).unwrap();
    shared.provide_also(A, &own);
    let (three, four) = (shared.child("three"), shared.child("four"));
    assert_eq!((get(&three, A).await.unwrap(), get(&four, A).await.unwrap()), (304, 304));
}

/// allow_multiple_false
#[tokio::test]
async fn siblings_share_what_is_provided_once() {
    let parent = Scope::root("parent");
    parent.provide(A, "a".into(), counting());
    let (one, two) = (parent.child("one"), parent.child("two"));
    assert_eq!((get(&one, A).await.unwrap(), get(&two, A).await.unwrap()), (0, 0));
}

/// when_needed
#[tokio::test]
async fn one_value_under_two_keys_is_made_once() {
    let scope = Scope::root("s");
    let slot = scope.provide(A, "a".into(), counting());
    scope.provide_also(B, &slot);
    let child = scope.child("child");
    assert_eq!((get(&child, B).await.unwrap(), get(&scope, A).await.unwrap()), (0, 0));
    assert_eq!(number(&slot).await.unwrap(), 0);
}

/// W-A17
#[tokio::test]
async fn an_instance_of_its_own_is_one_under_all_its_keys() {
    let outer = Scope::root("outer");
    outer.provide_each(A, "a".into(), each(), None);
    let inner = outer.child("inner");
    let own = inner.find(A).unwrap();
    inner.provide_also(B, &own);
    assert_eq!((get(&inner, A).await.unwrap(), get(&inner, B).await.unwrap()), (101, 101));
}

/// W-A16: equal values are not one provider.
#[tokio::test]
async fn replacing_a_value_leaves_an_equal_one_alone() {
    let scope = Scope::root("s");
    scope.provide(A, "cpus".into(), constant(2));
    scope.provide(B, "disks".into(), constant(2));
    scope.provide(A, "cpus".into(), constant(4));
    assert_eq!((get(&scope, A).await.unwrap(), get(&scope, B).await.unwrap()), (4, 2));
}

/// injector_xref
#[tokio::test]
async fn a_reference_is_made_in_the_scope_it_points_to() {
    let outer = Scope::root("outer");
    let inner = outer.child("inner");
    inner.provide(B, "b".into(), constant(7));
    inner.provide(A, "a".into(), sum(&inner, &[B]));
    outer.provide_from(C, "c".into(), &inner, A);
    assert!(outer.find(B).is_none());
    assert_eq!(get(&outer, C).await.unwrap(), 7);
    assert!(Arc::ptr_eq(
        &outer.find(C).unwrap().get(None).await.unwrap(),
        &inner.find(A).unwrap().get(None).await.unwrap(),
    ));
    outer.provide_from(D, "`d`".into(), &inner, D);
    let text = crate::chain(&get(&outer, D).await.unwrap_err());
    assert!(text.contains("circle") && text.contains("`d`"), "{text}");
}

/// injector_xref_no_cycle
#[tokio::test]
async fn a_reference_and_what_it_points_to_may_be_asked_for_at_once() {
    let outer = Scope::root("outer");
    let inner = outer.child("inner");
    let (make, open) = gated(7);
    inner.provide(A, "a".into(), make);
    outer.provide_from(B, "b".into(), &inner, A);
    outer.provide(C, "c".into(), sum(&outer, &[B]));
    let all = futures_util::future::join3(get(&outer, C), get(&inner, A), get(&outer, B));
    tokio::pin!(all);
    assert!(futures_util::poll!(&mut all).is_pending());
    open.send(true).unwrap();
    let (c, a, b) = all.await;
    assert_eq!((c.unwrap(), a.unwrap(), b.unwrap()), (7, 7, 7));
}
