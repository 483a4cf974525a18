//! Closing: what was made last is closed first, and scopes inside before those around them.

use std::cmp::Reverse;
use std::future::Future;

use super::happening::What;
use super::scope::{Provided, Scope, lock};
use super::slot::Slot;
use crate::error::{Error, ErrorKind, chain};

/// A value with which something is done at the end: `#[provide(close, …)]`.
#[diagnostic::on_unimplemented(
    message = "nothing says how a `{Self}` is closed",
    label = "`close` is for a type that can be closed",
    note = "write `impl Close for {Self} {{ async fn close(&self) -> Result<()> {{ … }} }}`"
)]
pub trait Close: Send + Sync + 'static {
    /// Does it.
    fn close(&self) -> impl Future<Output = crate::Result<()>> + Send;
}

impl Scope {
    /// Closes this scope and all inside: what is being made is given up, then everything that is to be closed is, the last made
    /// first. From now on, asking for a value of it is an error. Closing a second time does nothing; when the first one
    /// was given up halfway, it goes on.
    ///
    /// # Errors
    /// When something could not be closed; the rest is closed all the same, and all that went wrong is named.
    pub async fn close(&self) -> Result<(), Error> {
        let mut wrong = Vec::new();
        self.close_into(&mut wrong).await;
        if wrong.is_empty() {
            return Ok(());
        }
        Err(Error::new(ErrorKind::Injection, format!("`{}` could not be closed", self.name()))
            .because(wrong.join("; ")))
    }

    async fn close_into(&self, wrong: &mut Vec<String>) {
        // Whoever comes second waits for the first.
        let mut closed = self.0.closed.lock().await;
        if *closed {
            return;
        }
        self.0.closing.cancel();
        let children: Vec<_> = lock(&self.0.children).iter().filter_map(std::sync::Weak::upgrade).collect();
        for child in children.into_iter().rev() {
            Box::pin(Self(child).close_into(wrong)).await;
        }
        for slot in self.last_made_first() {
            let made = slot.made().is_some();
            if let Err(error) = slot.close().await {
                wrong.push(format!("{}: {}", slot.name(), chain(&error)));
            }
            if made {
                self.happened(slot.key(), slot.name(), What::Closed);
            }
        }
        *closed = true;
    }

    /// What is in the making before what is made.
    fn last_made_first(&self) -> Vec<Slot> {
        let held = self.held();
        let one = held.by_key.values().filter_map(|provided| match provided {
            Provided::One(slot) => Some(slot),
            Provided::Each(_) | Provided::Masked => None,
        });
        let all = one.chain(held.own.values()).chain(&held.replaced);
        let mut slots: Vec<_> = all
            .filter(|slot| slot.home_is(self))
            .map(|slot| (slot.made(), slot.id(), slot.clone()))
            .collect();
        slots.sort_by_key(|(made, id, _)| (made.is_some(), Reverse(*made), *id));
        // A value under two keys is one.
        slots.dedup_by_key(|(_, id, _)| *id);
        slots.into_iter().map(|(_, _, slot)| slot).collect()
    }
}
