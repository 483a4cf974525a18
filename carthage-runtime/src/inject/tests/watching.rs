//! What waits for what, and what happens, for whoever wants to see.

use std::sync::Mutex;

use super::*;
use crate::inject::{Happening, Wait, What};

/// introspection_registers_root, setup_task_introspection
#[tokio::test]
async fn one_sees_what_is_made_and_what_it_waits_for() {
    let scope = Scope::root("s");
    let inner = scope.child("inner");
    let (make, open) = gated(1);
    scope.provide(A, "a".into(), make);
    inner.provide(B, "b".into(), sum(&inner, &[A]));
    assert!(scope.waits().is_empty());
    let made = get(&inner, B);
    tokio::pin!(made);
    assert!(futures_util::poll!(&mut made).is_pending());
    let wait = |name: &str, waits_for: &[&str], root| Wait {
        name: name.to_owned(),
        waits_for: waits_for.iter().map(|name| (*name).to_owned()).collect(),
        root,
    };
    assert_eq!(scope.waits(), [wait("a", &[], false), wait("b", &["a"], true)]);
    open.send(true).unwrap();
    made.await.unwrap();
    assert!(scope.waits().is_empty() && inner.waits().is_empty());
}

fn noted(scope: &Scope) -> (Arc<Mutex<Vec<Happening>>>, crate::inject::Listening) {
    let noted = Arc::new(Mutex::new(Vec::new()));
    let to = noted.clone();
    (noted, scope.listen(move |happening| to.lock().unwrap().push(happening.clone())))
}

fn whats(noted: &Mutex<Vec<Happening>>) -> Vec<(String, What)> {
    std::mem::take(&mut *noted.lock().unwrap()).into_iter().map(|h| (h.name, h.what)).collect()
}

/// ready_event_propagation, event_scoping, W-A29: the whole of what happened reaches the scopes around.
#[tokio::test]
async fn a_listener_around_hears_what_happens_inside_in_full() {
    let outer = Scope::root("outer");
    let inner = outer.child("inner");
    let (heard, listening) = noted(&outer);
    let (near, _near) = noted(&inner);
    inner.provide(A_RED, "a".into(), constant(1));
    get(&inner, A_RED).await.unwrap();
    {
        let heard = heard.lock().unwrap();
        assert!(heard.iter().all(|h| h.scope == "inner" && h.key == Some(A_RED) && h.name == "a"));
    }
    let all = [What::Provided, What::Making, What::Ready].map(|what| ("a".to_owned(), what));
    assert_eq!(whats(&heard), all);
    assert_eq!(whats(&near), all);
    drop(listening);
    outer.provide(B, "b".into(), constant(2));
    assert!(whats(&heard).is_empty() && whats(&near).is_empty());
}

/// W-A40: also when a value comes to be later, after it failed.
#[tokio::test]
async fn a_value_that_comes_to_be_later_is_told() {
    let scope = Scope::root("s");
    let (heard, _listening) = noted(&scope);
    let first = std::sync::atomic::AtomicBool::new(true);
    scope.provide(
        A,
        "a".into(),
        Box::new(move |_| {
            let fails = first.swap(false, std::sync::atomic::Ordering::SeqCst);
            Box::pin(async move { if fails { Err(failure("not yet")) } else { Ok(value(1)) } })
        }),
    );
    assert!(get(&scope, A).await.is_err());
    get(&scope, A).await.unwrap();
    get(&scope, A).await.unwrap();
    let whats: Vec<_> = whats(&heard).into_iter().map(|(_, what)| what).collect();
    let failed = What::Failed("not yet".to_owned());
    assert_eq!(whats, [What::Provided, What::Making, failed, What::Making, What::Ready]);
}
