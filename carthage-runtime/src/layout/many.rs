//! Wanted more than once: all that there are of a type, and values made anew for whoever asks.

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use futures_util::future::try_join_all;

use super::parts::downcast;
use super::place::Place;
use super::wanted::Wanted;
use crate::error::Error;
use crate::inject::{Injectable, Slot, Value};
use crate::model::{Key, Mode, Need};

/// Every value of a type, with given constraints or all: `#[inject(Site)] tokens: All<JoinToken>` means those that have a
/// site, `#[inject(Site = "red")]` those of one. Nothing is made until it is asked for, and finding them takes time in
/// proportion to how many there are.
pub struct All<T> {
    place: Place,
    need: &'static Need,
    of: PhantomData<fn() -> T>,
}

impl<T: Injectable> All<T> {
    /// Those that a scope here or around provides, the nearest first, each with its key, which has its constraints. One that
    /// is hidden by a nearer one of the same key is left out.
    ///
    /// # Errors
    /// When one of them cannot be made; the error names it.
    pub async fn visible(&self) -> Result<Vec<(Key, Arc<T>)>, Error> {
        self.made(self.place.scope().visible(self.need.key)).await
    }

    /// Those that a scope here or inside provides, outer ones first.
    ///
    /// # Errors
    /// When one of them cannot be made; the error names it.
    pub async fn inside(&self) -> Result<Vec<(Key, Arc<T>)>, Error> {
        self.made(self.place.scope().inside(self.need.key)).await
    }

    async fn made(&self, found: Vec<(Key, Slot)>) -> Result<Vec<(Key, Arc<T>)>, Error> {
        try_join_all(found.into_iter().map(|(key, slot)| async move {
            let value = slot.get(self.place.asker()).await?;
            Ok((key, downcast(value, slot.name())?))
        }))
        .await
    }
}

impl<T: Injectable> Wanted for All<T> {
    const KEY: Key = T::KEY;
    const MODE: Mode = Mode::Every;

    fn from_found(_: Option<Value>, place: &Place, need: &'static Need) -> Result<Self, Error> {
        Ok(Self { place: place.clone(), need, of: PhantomData })
    }
}

/// How a value is made, not the value: each [`Quoted::make`] makes one that nobody else has. It must be provided, as for
/// `Arc<T>`. One that is kept in the state directory stays the one that is kept.
pub struct Quoted<T> {
    place: Place,
    need: &'static Need,
    of: PhantomData<fn() -> T>,
}

impl<T: Injectable> Quoted<T> {
    /// Makes one.
    ///
    /// # Errors
    /// When it cannot be made.
    pub async fn make(&self) -> Result<Arc<T>, Error> {
        let slot = self.place.provider(self.need)?;
        downcast(slot.another(self.place.asker()).await?, slot.name())
    }
}

impl<T: Injectable> Wanted for Quoted<T> {
    const KEY: Key = T::KEY;
    const MODE: Mode = Mode::Deferred;

    fn from_found(_: Option<Value>, place: &Place, need: &'static Need) -> Result<Self, Error> {
        Ok(Self { place: place.clone(), need, of: PhantomData })
    }
}

macro_rules! handle {
    ($($name:ident),*) => {$(
        impl<T> Clone for $name<T> {
            fn clone(&self) -> Self {
                Self { place: self.place.clone(), need: self.need, of: PhantomData }
            }
        }

        impl<T> fmt::Debug for $name<T> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_tuple(stringify!($name)).field(&self.need.key.name()).finish()
            }
        }
    )*};
}
handle!(All, Quoted);
