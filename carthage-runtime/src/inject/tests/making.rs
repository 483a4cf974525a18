//! Values are made once, from whichever side they are asked for, and never wait for themselves.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use super::*;

#[tokio::test]
async fn nearest_provider_wins() {
    let outer = Scope::root("outer");
    let inner = outer.child("inner");
    outer.provide(A, "a".into(), constant(1));
    outer.provide(B, "b".into(), constant(2));
    inner.provide(A, "a".into(), constant(10));
    assert_eq!((get(&inner, A).await.unwrap(), get(&inner, B).await.unwrap()), (10, 2));
    assert_eq!(get(&outer, A).await.unwrap(), 1);
    assert!(inner.find(C).is_none());
}

#[tokio::test]
async fn made_once_for_all_who_ask_and_again_after_a_failure() {
    let scope = Scope::root("s");
    let made = Arc::new(AtomicUsize::new(0));
    let counter = made.clone();
    let (open, gate) = tokio::sync::watch::channel(false);
    scope.provide(
        A,
        "a".into(),
        Box::new(move |_| {
            let nth = counter.fetch_add(1, Ordering::SeqCst);
            let mut gate = gate.clone();
            Box::pin(async move {
                gate.wait_for(|open| *open).await.map_err(Error::host("gate"))?;
                if nth == 0 {
                    return Err(failure("not yet").hint("try again"));
                }
                Ok(value(7))
            })
        }),
    );
    let (failed, ()) = tokio::join!(join_all((0..10).map(|_| get(&scope, A))), async {
        open.send(true).unwrap();
    });
    assert!(failed.iter().all(|r| r.as_ref().unwrap_err().next_step() == Some("try again")));
    assert_eq!(made.load(Ordering::SeqCst), 1);
    let ready = join_all((0..10).map(|_| get(&scope, A))).await;
    assert!(ready.into_iter().all(|r| r.unwrap() == 7));
    assert_eq!(made.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn a_cycle_is_named_from_whichever_end_it_is_entered() {
    let scope = Scope::root("s");
    scope.provide(A, "`a`".into(), sum(&scope, &[B]));
    scope.provide(B, "`b`".into(), sum(&scope, &[C]));
    scope.provide(C, "`c`".into(), sum(&scope, &[A]));
    let (one, two) = tokio::join!(get(&scope, A), get(&scope, B));
    for error in [one.unwrap_err(), two.unwrap_err()] {
        let text = crate::chain(&error);
        assert!(text.contains("values need each other in a circle"), "{text}");
        for name in ["`a`", "`b`", "`c`"] {
            assert!(text.contains(name), "{text}");
        }
    }
    assert!(scope.waits().is_empty());
}

/// W-A2: each is begun on its own before it asks for the other, on threads of their own.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_that_ask_for_each_other_from_two_roots_do_not_hang() {
    for _ in 0..50 {
        let scope = Scope::root("s");
        let both = Arc::new(tokio::sync::Barrier::new(2));
        let asking = |key: Key| -> Box<Making> {
            let (scope, both, again) = (scope.clone(), both.clone(), Arc::new(AtomicBool::new(false)));
            Box::new(move |me| {
                let (scope, both, again) = (scope.clone(), both.clone(), again.clone());
                Box::pin(async move {
                    // One that has failed may be asked again by the other, which is alone then.
                    if !again.swap(true, Ordering::SeqCst) {
                        both.wait().await;
                    }
                    scope.find(key).unwrap().get(Some(&me)).await
                })
            })
        };
        scope.provide(A, "`a`".into(), asking(B));
        scope.provide(B, "`b`".into(), asking(A));
        let (one, two) = (scope.clone(), scope.clone());
        let one = tokio::spawn(async move { get(&one, A).await });
        let two = tokio::spawn(async move { get(&two, B).await });
        let (one, two) = (one.await.unwrap(), two.await.unwrap());
        let text = crate::chain(&one.or(two).unwrap_err());
        assert!(text.contains("`a` -> `b` -> `a`") || text.contains("`b` -> `a` -> `b`"), "{text}");
    }
}

/// W-A1: what both sides of a diamond need is there before either is.
#[tokio::test]
async fn a_diamond_is_not_a_cycle() {
    let scope = Scope::root("s");
    let (make, open) = gated(2);
    scope.provide(A, "a".into(), sum(&scope, &[B, C]));
    scope.provide(B, "b".into(), sum(&scope, &[D]));
    scope.provide(C, "c".into(), sum(&scope, &[D]));
    scope.provide(D, "d".into(), make);
    let made = get(&scope, A);
    tokio::pin!(made);
    assert!(futures_util::poll!(&mut made).is_pending());
    assert!([B, C].iter().all(|key| scope.find(*key).unwrap().value().is_none()));
    open.send(true).unwrap();
    assert_eq!(made.await.unwrap(), 4);
}

/// concurrent_resolution
#[tokio::test]
async fn an_asker_that_comes_while_it_is_made_gets_it_too() {
    let scope = Scope::root("s");
    let (make, open) = gated(5);
    scope.provide(A, "a".into(), make);
    let (first, second) = (get(&scope, A), get(&scope, A));
    tokio::pin!(first, second);
    assert!(futures_util::poll!(&mut first).is_pending());
    assert!(futures_util::poll!(&mut second).is_pending());
    open.send(true).unwrap();
    assert_eq!((second.await.unwrap(), first.await.unwrap()), (5, 5));
}

#[tokio::test]
async fn an_asker_that_gives_up_does_not_spoil_it_for_the_others() {
    let scope = Scope::root("s");
    let (make, open) = gated(3);
    scope.provide(A, "a".into(), make);
    {
        let impatient = get(&scope, A);
        tokio::pin!(impatient);
        assert!(futures_util::poll!(&mut impatient).is_pending());
    }
    open.send(true).unwrap();
    assert_eq!(get(&scope, A).await.unwrap(), 3);
}

/// W-A19: a failure is no value.
#[tokio::test]
async fn a_failed_maker_is_asked_again() {
    let scope = Scope::root("s");
    let tries = Arc::new(AtomicUsize::new(0));
    let counter = tries.clone();
    scope.provide(
        A,
        "a".into(),
        Box::new(move |_| {
            let nth = counter.fetch_add(1, Ordering::SeqCst);
            Box::pin(async move { if nth < 2 { Err(failure("not yet")) } else { Ok(value(1)) } })
        }),
    );
    assert!(get(&scope, A).await.is_err() && get(&scope, A).await.is_err());
    assert_eq!(get(&scope, A).await.unwrap(), 1);
    assert_eq!(tries.load(Ordering::SeqCst), 3);
}

/// dependency_quote
#[tokio::test]
async fn a_quoted_value_is_made_anew_for_each_and_not_before() {
    let scope = Scope::root("s");
    let slot = scope.provide(A, "a".into(), counting());
    assert!(slot.value().is_none());
    let another = async || *slot.another(None).await.unwrap().downcast::<u32>().unwrap();
    assert_eq!((another().await, another().await), (0, 1));
    assert!(slot.value().is_none(), "what is quoted is not what others share");
    assert_eq!((get(&scope, A).await.unwrap(), get(&scope, A).await.unwrap()), (2, 2));
}
