//! Scopes are closed in order, once, whatever goes wrong; afterwards nothing is to be had.

use std::sync::Mutex;

use super::*;
use crate::inject::Closing;

type Log = Arc<Mutex<Vec<u32>>>;

/// Notes what was closed; `bad` cannot be.
fn closing(log: &Log, bad: u32) -> Option<Arc<Closing>> {
    let log = log.clone();
    Some(Arc::new(move |value: Value| {
        let number = *value.downcast::<u32>().unwrap();
        log.lock().unwrap().push(number);
        Box::pin(async move { if number == bad { Err(failure("it sticks")) } else { Ok(()) } })
    }))
}

#[tokio::test]
async fn inner_scopes_first_and_what_was_made_last_first() {
    let (outer, log) = (Scope::root("outer"), Log::default());
    let (one, two) = (outer.child("one"), outer.child("two"));
    outer.provide_to_close(A, "a".into(), constant(1), closing(&log, 0));
    outer.provide_to_close(B, "b".into(), sum(&outer, &[A]), closing(&log, 0));
    outer.provide_to_close(C, "never asked for".into(), constant(9), closing(&log, 0));
    one.provide_to_close(C, "c".into(), constant(3), closing(&log, 0));
    one.provide_to_close(D, "d".into(), constant(4), closing(&log, 0));
    two.provide_to_close(C, "c".into(), constant(5), closing(&log, 0));
    for (scope, key) in [(&outer, B), (&one, D), (&one, C), (&two, C)] {
        get(scope, key).await.unwrap();
    }
    outer.close().await.unwrap();
    assert_eq!(*log.lock().unwrap(), [5, 3, 4, 1, 1], "two, one (c, then d), b, a");
    outer.close().await.unwrap();
    one.close().await.unwrap();
    assert_eq!(log.lock().unwrap().len(), 5, "once");
}

#[tokio::test]
async fn what_cannot_be_closed_is_named_and_the_rest_is_closed() {
    let (scope, log) = (Scope::root("s"), Log::default());
    scope.provide_to_close(A, "a".into(), constant(1), closing(&log, 2));
    scope.provide_to_close(B, "b".into(), constant(2), closing(&log, 2));
    get(&scope, A).await.unwrap();
    get(&scope, B).await.unwrap();
    let error = crate::chain(&scope.close().await.unwrap_err());
    assert_eq!(error, "`s` could not be closed: b: it sticks");
    assert_eq!(*log.lock().unwrap(), [2, 1]);
}

#[tokio::test]
async fn use_after_close_is_an_error() {
    let scope = Scope::root("s");
    let child = scope.child("child");
    let (made, not) = (scope.provide(A, "a".into(), constant(1)), scope.provide(B, "b".into(), constant(2)));
    get(&child, A).await.unwrap();
    scope.close().await.unwrap();
    for slot in [&made, &not] {
        let error = crate::chain(&number(slot).await.unwrap_err());
        assert!(error.ends_with("is gone: `s` is closed"), "{error}");
    }
    let late = child.provide(C, "c".into(), constant(3));
    let error = crate::chain(&number(&late).await.unwrap_err());
    assert!(error.ends_with("c is gone: `child` is closed"), "{error}");
}

/// when_needed_cancels
#[tokio::test]
async fn closing_gives_up_what_is_being_made_which_notices() {
    struct Noticed(Arc<Mutex<bool>>);
    impl Drop for Noticed {
        fn drop(&mut self) {
            *self.0.lock().unwrap() = true;
        }
    }
    for asker_stays in [true, false] {
        let scope = Scope::root("s");
        let noticed = Arc::new(Mutex::new(false));
        let notice = noticed.clone();
        scope.provide(
            A,
            "a".into(),
            Box::new(move |_| {
                let guard = Noticed(notice.clone());
                Box::pin(async move {
                    let _guard = guard;
                    std::future::pending().await
                })
            }),
        );
        let mut asked = Box::pin(get(&scope, A));
        assert!(futures_util::poll!(&mut asked).is_pending());
        let asked = asker_stays.then_some(asked);
        assert!(!*noticed.lock().unwrap());
        scope.close().await.unwrap();
        if let Some(asked) = asked {
            let error = crate::chain(&asked.await.unwrap_err());
            assert!(error.contains("`s` is closed"), "{error}");
        }
        assert!(*noticed.lock().unwrap() && scope.waits().is_empty());
    }
}

#[tokio::test]
async fn what_was_replaced_is_closed_as_well() {
    let (scope, log) = (Scope::root("s"), Log::default());
    let replaced = scope.provide_to_close(A, "a".into(), constant(1), closing(&log, 0));
    number(&replaced).await.unwrap();
    scope.provide_to_close(A, "a".into(), constant(2), closing(&log, 0));
    get(&scope, A).await.unwrap();
    scope.close().await.unwrap();
    assert_eq!(*log.lock().unwrap(), [2, 1]);
}

#[tokio::test]
async fn an_instance_of_its_own_is_closed_with_the_scope_that_asked() {
    let (outer, log) = (Scope::root("outer"), Log::default());
    let inner = outer.child("inner");
    let number = |asker: &Scope| u32::try_from(asker.number()).unwrap();
    let make = move |asker: &Scope, _: Slot| -> futures_util::future::BoxFuture<'static, _> {
        let number = number(asker);
        Box::pin(async move { Ok(value(number)) })
    };
    outer.provide_each(A, "a".into(), Box::new(make), closing(&log, 9));
    get(&inner, A).await.unwrap();
    get(&outer, A).await.unwrap();
    inner.close().await.unwrap();
    assert_eq!(*log.lock().unwrap(), [1]);
    outer.close().await.unwrap();
    assert_eq!(*log.lock().unwrap(), [1, 0]);
}
