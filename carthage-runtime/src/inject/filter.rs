//! Filters: everything that is provided of one type with given constraints, through an index, so that it takes time in
//! proportion to what is found and not to what there is.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
#[cfg(test)]
use std::sync::atomic::Ordering;

use super::scope::{Held, Provided, Scope};
use super::slot::Slot;
use crate::error::{Error, ErrorKind};
use crate::model::Key;

impl Scope {
    /// What this scope can see of `key`'s type that has all of its constraints, and perhaps more: the nearest scope first, in
    /// each in the order in which it was provided. What is hidden by a nearer provider of the same key, or masked, is left out.
    #[must_use]
    pub fn visible(&self, key: Key) -> Vec<(Key, Slot)> {
        self.visible_in(key, self.upwards())
    }

    /// The same, as far up as `last`.
    ///
    /// # Errors
    /// When `last` is not this scope or around it.
    pub fn visible_up_to(&self, key: Key, last: &Self) -> Result<Vec<(Key, Slot)>, Error> {
        let is_last = |scope: &Self| Arc::ptr_eq(&scope.0, &last.0);
        if !self.upwards().any(is_last) {
            let what = format!("`{}` is not around `{}`", last.name(), self.name());
            return Err(Error::new(ErrorKind::Usage, what));
        }
        let mut beyond = false;
        Ok(self.visible_in(
            key,
            self.upwards().take_while(move |scope| {
                let go_on = !beyond;
                beyond |= is_last(scope);
                go_on
            }),
        ))
    }

    fn visible_in<'a>(&'a self, key: Key, scopes: impl Iterator<Item = &'a Self>) -> Vec<(Key, Slot)> {
        let (mut seen, mut found) = (HashSet::new(), Vec::new());
        for scope in scopes {
            for (key, provided) in scope.listed(key) {
                if seen.insert(key) {
                    found.extend(self.slot_of(&provided).map(|slot| (key, slot)));
                }
            }
        }
        found
    }

    /// What this scope and those inside provide of `key`'s type that has all of its constraints, and perhaps more: outer scopes
    /// first, in the order in which they were made.
    #[must_use]
    pub fn inside(&self, key: Key) -> Vec<(Key, Slot)> {
        let (mut found, mut ahead) = (Vec::new(), vec![self.clone()]);
        while let Some(scope) = ahead.pop() {
            for (key, provided) in scope.listed(key) {
                found.extend(scope.slot_of(&provided).map(|slot| (key, slot)));
            }
            let held = scope.held();
            let inside = held.inside.get(&key.id()).into_iter().flat_map(BTreeMap::values).rev();
            ahead.extend(inside.filter_map(|scope| {
                #[cfg(test)]
                self.0.tree.looked_at.fetch_add(1, Ordering::Relaxed);
                scope.upgrade().map(Scope)
            }));
        }
        found
    }

    /// What stands in this very scope that `filter` means.
    fn listed(&self, filter: Key) -> Vec<(Key, Provided)> {
        let held = self.held();
        let keys = held.here.get(&filter.id()).map_or(&[][..], Vec::as_slice);
        #[cfg(test)]
        self.0.tree.looked_at.fetch_add(1 + keys.len(), Ordering::Relaxed);
        keys.iter().filter_map(|key| Some((*key, held.by_key.get(key)?.clone()))).collect()
    }

    /// Takes a scope in this one, which is gone, out of the index.
    pub(super) fn forget(&self, number: usize, gone: &Held) {
        let filters: HashSet<u64> = gone.here.keys().chain(gone.inside.keys()).copied().collect();
        for filter in filters {
            let mut number = number;
            for scope in self.upwards() {
                let mut held = scope.held();
                let Some(inside) = held.inside.get_mut(&filter) else { break };
                inside.remove(&number);
                if !inside.is_empty() {
                    break;
                }
                held.inside.remove(&filter);
                if held.here.contains_key(&filter) {
                    break;
                }
                // Nor does it hold any itself.
                number = scope.number();
            }
        }
    }

    /// Enters a key for the filters that mean it, here and in the scopes around.
    pub(super) fn index(&self, key: Key) {
        for filter in key.asked_by() {
            self.held().here.entry(filter).or_default().push(key);
            let scopes: Vec<_> = self.upwards().collect();
            for pair in scopes.windows(2) {
                let mut around = pair[1].held();
                let inside = around.inside.entry(filter).or_default();
                // Whoever is around knows already.
                if inside.insert(pair[0].number(), Arc::downgrade(&pair[0].0)).is_some() {
                    break;
                }
            }
        }
    }
}
