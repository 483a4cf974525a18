//! The wait-for graph: who waits for whom among values that are being made, so that a cycle is an error and never a hang.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::slot::Slot;
use crate::error::{Error, ErrorKind};

/// One graph per tree of scopes.
#[derive(Default)]
pub(crate) struct Waits(Mutex<HashMap<usize, Node>>);

struct Node {
    name: String,
    waits_for: Vec<Slot>,
}

/// One edge; gone when dropped.
pub(crate) struct Waiting {
    graph: Arc<Waits>,
    who: usize,
    what: usize,
}

impl Waits {
    /// Notes that the maker of `who` waits for `what`.
    ///
    /// # Errors
    /// When `what` waits, directly or through others, for `who`; the error names all of them in order.
    pub(crate) fn wait(self: &Arc<Self>, who: &Slot, what: &Slot) -> Result<Waiting, Error> {
        let mut graph = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(path) = path(&graph, what, who.id()) {
            let cycle = path.iter().map(|name| format!("{name} -> ")).collect::<String>();
            return Err(Error::new(
                ErrorKind::Injection,
                format!("values need each other in a circle: {} -> {cycle}{}", who.name(), who.name()),
            )
            .hint("let one of them ask later, with `Deferred<T>`, or remove one of the needs"));
        }
        graph
            .entry(who.id())
            .or_insert_with(|| Node { name: who.name().to_owned(), waits_for: Vec::new() })
            .waits_for
            .push(what.clone());
        Ok(Waiting { graph: self.clone(), who: who.id(), what: what.id() })
    }
}

/// The names on a way from `from` to `to`, `to` itself left out.
fn path(graph: &HashMap<usize, Node>, from: &Slot, to: usize) -> Option<Vec<String>> {
    let mut seen = std::collections::HashSet::new();
    let mut stack = vec![(from.id(), vec![from.name().to_owned()])];
    while let Some((at, names)) = stack.pop() {
        if at == to {
            return Some(
                names.into_iter().take_while(|name| graph.get(&to).is_none_or(|n| n.name != *name)).collect(),
            );
        }
        if !seen.insert(at) {
            continue;
        }
        for next in graph.get(&at).into_iter().flat_map(|node| &node.waits_for) {
            let names = names.iter().cloned().chain([next.name().to_owned()]).collect();
            stack.push((next.id(), names));
        }
    }
    None
}

impl Drop for Waiting {
    fn drop(&mut self) {
        let mut graph = self.graph.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(node) = graph.get_mut(&self.who) else { return };
        if let Some(at) = node.waits_for.iter().position(|slot| slot.id() == self.what) {
            node.waits_for.swap_remove(at);
        }
        if node.waits_for.is_empty() {
            graph.remove(&self.who);
        }
    }
}
