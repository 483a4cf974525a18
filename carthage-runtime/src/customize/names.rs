//! What the tasks of a customization or of a model are called, put together once.

use std::sync::OnceLock;

use super::On;
use super::apply::Application;

/// The names of all tasks, once somebody asks for one.
#[derive(Debug, Default)]
pub(crate) struct Names(OnceLock<Vec<Name>>);

/// `task:mirror.algebra/site.index`, and where its last part begins.
#[derive(Debug)]
struct Name(String, usize);

const KIND: &str = "task:";

impl Application<'_> {
    fn called(&self, task: usize) -> &Name {
        let call = |name: &str| {
            let thing = format!("{KIND}{}/", self.on.name());
            let stem = thing.len();
            match self.on {
                On::Machine(_) => Name(thing + self.field + "." + name, stem),
                On::Model(_) => Name(thing + name, stem),
            }
        };
        &self.names.0.get_or_init(|| self.tasks().iter().map(|task| call(task.name)).collect())[task]
    }

    /// The name of a task as a thing: `task:mirror.algebra/site.index`.
    pub(crate) fn thing(&self, task: usize) -> &str {
        &self.called(task).0
    }

    /// What users call a task, without `task:`: `mirror.algebra/site.index`, `algebra/render`.
    pub(crate) fn name(&self, task: usize) -> &str {
        &self.thing(task)[KIND.len()..]
    }

    /// The name of a task's stamp and services: `site.index`; of a model's task, its name alone.
    pub(crate) fn stem(&self, task: usize) -> &str {
        let Name(thing, stem) = self.called(task);
        &thing[*stem..]
    }
}
