//! What injection promises, on scopes made by hand. Tests are named after the scenarios that they answer.

mod closing;
mod filters;
mod making;
mod sharing;
mod watching;

use std::sync::Arc;

use futures_util::future::join_all;

use super::{Making, Scope, Slot, Value};
use crate::error::{Error, ErrorKind};
use crate::model::{Constraint, Key};

const A: Key = Key::new("test", "A", 1, 1);
const B: Key = Key::new("test", "B", 2, 1);
const C: Key = Key::new("test", "C", 3, 1);
const D: Key = Key::new("test", "D", 4, 1);

const SITE: Key = Key::new("test", "Site", 5, 1);
const HALL: Key = Key::new("test", "Hall", 6, 1);
const A_RED: Key = A.and(const { &[Constraint::text(SITE, "red")] });
const A_BLUE: Key = A.and(const { &[Constraint::text(SITE, "blue")] });

fn value(number: u32) -> Value {
    Arc::new(number)
}

fn constant(number: u32) -> Box<Making> {
    Box::new(move |_| Box::pin(async move { Ok(value(number)) }))
}

/// A value that is the sum of others, asked for at the same time.
fn sum(scope: &Scope, keys: &'static [Key]) -> Box<Making> {
    let scope = scope.clone();
    Box::new(move |me| {
        let scope = scope.clone();
        Box::pin(async move {
            let asked = keys.iter().map(|key| {
                let slot = scope.find(*key).unwrap();
                let me = me.clone();
                async move { slot.get(Some(&me)).await }
            });
            let mut sum = 0;
            for value in join_all(asked).await {
                tokio::task::yield_now().await;
                sum += *value?.downcast::<u32>().unwrap();
            }
            Ok(value(sum))
        })
    })
}

/// A maker that waits until the gate opens, and the gate.
fn gated(number: u32) -> (Box<Making>, tokio::sync::watch::Sender<bool>) {
    let (open, gate) = tokio::sync::watch::channel(false);
    let make: Box<Making> = Box::new(move |_| {
        let mut gate = gate.clone();
        Box::pin(async move {
            gate.wait_for(|open| *open).await.map_err(Error::host("gate"))?;
            Ok(value(number))
        })
    });
    (make, open)
}

/// A maker of 0, 1, 2 …
fn counting() -> Box<Making> {
    let made = std::sync::atomic::AtomicU32::new(0);
    Box::new(move |_| {
        let next = made.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        Box::pin(async move { Ok(value(next)) })
    })
}

async fn number(slot: &Slot) -> Result<u32, Error> {
    slot.get(None).await.map(|value| *value.downcast::<u32>().unwrap())
}

async fn get(scope: &Scope, key: Key) -> Result<u32, Error> {
    number(&scope.find(key).unwrap()).await
}

fn failure(text: &str) -> Error {
    Error::new(ErrorKind::Host, text)
}
