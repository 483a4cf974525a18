//! The wait-for graph: who waits for whom among values that are being made, so that a cycle is an error and never a hang, and
//! so that one can see what everything waits for.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::slot::Slot;
use crate::error::{Error, ErrorKind};

/// One graph per tree of scopes.
#[derive(Default)]
pub(crate) struct Waits(Mutex<HashMap<usize, Node>>);

struct Node {
    slot: Slot,
    /// Whether it is being made: it is in the graph then, also if it waits for nothing.
    making: bool,
    waits_for: Vec<Slot>,
}

/// A value that is being made, and what that waits for at this moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wait {
    /// What users call it.
    pub name: String,
    /// What it waits for; nothing for one that works.
    pub waits_for: Vec<String>,
    /// Whether nothing else waits for it: somebody outside asked.
    pub root: bool,
}

/// One edge; gone when dropped.
pub(crate) struct Waiting {
    graph: Arc<Waits>,
    who: usize,
    what: usize,
}

/// A value in the making; gone when dropped.
pub(crate) struct InTheMaking {
    graph: Arc<Waits>,
    who: usize,
}

impl Waits {
    /// Notes that `who` is being made.
    pub(crate) fn begin(self: &Arc<Self>, who: &Slot) -> InTheMaking {
        let mut graph = self.graph();
        graph.entry(who.id()).or_insert_with(|| Node::of(who)).making = true;
        InTheMaking { graph: self.clone(), who: who.id() }
    }

    /// Notes that the maker of `who` waits for `what`.
    ///
    /// # Errors
    /// When `what` waits, directly or through others, for `who`; the error names all of them in order.
    pub(crate) fn wait(self: &Arc<Self>, who: &Slot, what: &Slot) -> Result<Waiting, Error> {
        let mut graph = self.graph();
        if let Some(path) = path(&graph, what, who.id()) {
            let cycle = path.iter().map(|slot| format!("{} -> ", slot.name())).collect::<String>();
            return Err(Error::new(
                ErrorKind::Injection,
                format!("values need each other in a circle: {} -> {cycle}{}", who.name(), who.name()),
            )
            .hint("let one of them ask later, with `Deferred<T>`, or remove one of the needs"));
        }
        graph.entry(who.id()).or_insert_with(|| Node::of(who)).waits_for.push(what.clone());
        Ok(Waiting { graph: self.clone(), who: who.id(), what: what.id() })
    }

    /// All that is being made, by name.
    pub(crate) fn list(&self) -> Vec<Wait> {
        let graph = self.graph();
        let waited_for: HashSet<usize> =
            graph.values().flat_map(|node| &node.waits_for).map(Slot::id).collect();
        let mut list: Vec<_> = graph
            .iter()
            .map(|(id, node)| Wait {
                name: node.slot.name().to_owned(),
                waits_for: node.waits_for.iter().map(|slot| slot.name().to_owned()).collect(),
                root: !waited_for.contains(id),
            })
            .collect();
        list.sort_by(|a, b| a.name.cmp(&b.name));
        list
    }

    fn graph(&self) -> MutexGuard<'_, HashMap<usize, Node>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, who: usize, change: impl FnOnce(&mut Node)) {
        let mut graph = self.graph();
        let Some(node) = graph.get_mut(&who) else { return };
        change(node);
        if !node.making && node.waits_for.is_empty() {
            let node = graph.remove(&who);
            // With the last of its handles a slot goes, and with it whatever its maker holds.
            drop(graph);
            drop(node);
        }
    }
}

impl Node {
    fn of(slot: &Slot) -> Self {
        Self { slot: slot.clone(), making: false, waits_for: Vec::new() }
    }
}

/// The slots on a way from `from` to `to`, `to` itself left out.
fn path(graph: &HashMap<usize, Node>, from: &Slot, to: usize) -> Option<Vec<Slot>> {
    let mut seen = HashSet::new();
    let mut stack = vec![(from.clone(), Vec::new())];
    while let Some((at, way)) = stack.pop() {
        if at.id() == to {
            return Some(way);
        }
        if !seen.insert(at.id()) {
            continue;
        }
        for next in graph.get(&at.id()).into_iter().flat_map(|node| &node.waits_for) {
            let way = way.iter().cloned().chain([at.clone()]).collect();
            stack.push((next.clone(), way));
        }
    }
    None
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.graph.change(self.who, |node| {
            if let Some(at) = node.waits_for.iter().position(|slot| slot.id() == self.what) {
                node.waits_for.swap_remove(at);
            }
        });
    }
}

impl Drop for InTheMaking {
    fn drop(&mut self) {
        self.graph.change(self.who, |node| node.making = false);
    }
}
