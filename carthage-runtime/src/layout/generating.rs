//! Models with setup tasks of their own, which run on the controller before the machines inside are touched, and what they generate.

use std::collections::{BTreeMap, HashSet};
use std::fmt;
use std::marker::PhantomData;
use std::ops::Deref;

use super::place::Place;
use super::wanted::Wanted;
use super::world::World;
use super::{AnyModel, Model, equipment};
use crate::customize::{
    AnyCustomization, Application, Compared, Customization, ModelDir, Names, On, Setting, Surroundings, Walk,
    When,
};
use crate::error::{Error, ErrorKind};
use crate::inject::Value;
use crate::machine::engine::{Identity, PolicySpec};
use crate::model::{Key, Kind, Mode, Need, Placement};
use crate::step::Planned;
use crate::task::{Last, Stamps};

/// The directory of those of the models, in the layout's cache.
pub(super) const MODELS: &str = "models";

/// A model that may have tasks of its own: what `#[layout]`, `#[enclave]` and `#[machine_model]` stand on.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no model that has tasks of its own",
    label = "expected a layout, an enclave or a machine's model",
    note = "`#[model_tasks]` belongs on the `impl` of a struct with `#[layout]`, `#[enclave]` or `#[machine_model]`; the tasks of what \
            a machine has in a `#[customize]` field are in an `impl` with `#[customization]`"
)]
pub trait TakesTasks: Model {}

/// A model with tasks of its own: `#[model_tasks] impl Algebra { … }`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no tasks of its own, so it generates nothing",
    label = "expected a model with `#[model_tasks]`",
    note = "write `#[model_tasks] impl {Self} {{ … }}` with a `#[setup_task]` that writes to its `&ModelDir`"
)]
pub trait ModelTasks: TakesTasks + Customization<Host = ModelDir> {}

/// A model with tasks, at its place.
#[derive(Clone)]
pub(crate) struct Generating {
    /// Its directory.
    pub(crate) dir: ModelDir,
    /// The same, relative to the layout's cache directory.
    pub(super) directory: String,
    /// Where the layout has it: the path of fields.
    pub(super) path: String,
    pub(crate) setting: Setting,
    /// What becomes of the directory when the layout is destroyed, and whether its tasks run although nothing names it.
    pub(crate) policy: PolicySpec,
    tasks: &'static [crate::model::TaskNode],
}

impl Generating {
    /// Whether all of its tasks ran to their end when they ran last.
    pub(crate) fn has_run(&self) -> bool {
        let _held = self.setting.stamps.hold();
        self.tasks.iter().all(|task| matches!(self.setting.stamps.read(task.name), Last::Ran(_)))
    }

    /// What users call it, with its kind: `model:algebra`.
    pub(crate) fn thing(&self) -> String {
        crate::state::Kind::ModelWithTasks.thing(self.dir.name())
    }

    /// The names of its tasks.
    pub(crate) fn tasks(&self) -> impl Iterator<Item = &'static str> {
        self.tasks.iter().map(|task| task.name)
    }

    /// What its tasks run on, in stamps: the directory, with which the stamps themselves are gone.
    pub(crate) fn identity() -> Identity {
        Identity("controller".to_owned())
    }
}

impl fmt::Debug for Generating {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Generating").field(&self.dir).finish()
    }
}

impl World {
    /// The models that have tasks, by position, outer ones first. Of a machine that is only looked at there are none.
    pub(crate) fn generating(&self) -> &BTreeMap<usize, Generating> {
        self.generating.get_or_init(|| {
            let all = self.placements().iter().filter(|placement| !placement.node().readonly);
            all.filter_map(|placement| Some((placement.index(), self.generates(placement)?))).collect()
        })
    }

    fn generates(&self, placement: Placement) -> Option<Generating> {
        let tasks = self.customized(placement.index())?.model_tasks()?.node().tasks;
        let ((dirs, id), path) = (self.dirs(), placement.path());
        let name = match (placement.kind(), path) {
            (Kind::Machine, _) => placement.fqdn(),
            (_, "") => self.scope(0).name(),
            _ => path,
        };
        // No field is called like the layout's own.
        let directory = format!("{MODELS}/{}", if path.is_empty() { "@layout" } else { path });
        let dir = ModelDir::new(name.to_owned(), dirs.cache().join(&directory), dirs.storage().clone());
        let setting =
            Setting { stamps: Stamps::new(dirs.storage().clone(), dir.stamps(), id), ..self.setting.clone() };
        let (path, policy) = (path.to_owned(), equipment::policy(placement));
        Some(Generating { dir, directory, path, setting, policy, tasks })
    }

    /// The tasks of the model at a place, if it has some.
    fn model_tasks(&self, index: usize) -> Option<&dyn AnyCustomization> {
        self.customized(index).and_then(AnyModel::model_tasks)
    }

    /// The nearest model with tasks at a place or around it.
    pub(crate) fn generating_around(&self, placement: Placement) -> Option<usize> {
        let known = self.generating();
        placement.scopes().map(Placement::index).find(|index| known.contains_key(index))
    }

    /// An error if two models with tasks are called alike, so that nobody could tell their tasks apart.
    pub(super) fn generating_by_names(&self) -> Result<(), Error> {
        let mut names = HashSet::new();
        match self.generating().values().find(|model| !names.insert(model.dir.name())) {
            None => Ok(()),
            Some(model) => {
                let what = format!("two models with tasks of their own are called `{}`", model.dir.name());
                Err(Error::new(ErrorKind::Usage, what)
                    .because("a machine is called by its full name, an enclave by the fields that lead to it")
                    .hint("call the field or the layout something else"))
            }
        }
    }
}

impl Place {
    /// The tasks of the model at this place, ready to be planned or run, if it has some.
    pub(crate) fn model_tasks<'a>(
        &'a self,
        planned: Option<&'a Planned>,
        walk: &'a Walk,
    ) -> Option<Application<'a>> {
        let model = self.generated()?;
        Some(Application {
            field: "",
            customization: self.world.model_tasks(self.index)?,
            when: When::Exists,
            place: self,
            on: On::Model(&model.dir),
            setting: &model.setting,
            planned,
            walk,
            compared: Compared::default(),
            surroundings: Surroundings::default(),
            names: Names::default(),
        })
    }

    /// Where the model is that is meant by this: the one at this place itself, or the nearest.
    fn generating_at(&self, need: &Need) -> Vec<usize> {
        match self.placement().key() == need.key {
            true => vec![self.index],
            false => self.world.nearest(self.index, need.key, need.field),
        }
    }

    /// What the model at this place generates, if it has tasks.
    pub(super) fn generated(&self) -> Option<&Generating> {
        self.world.generating().get(&self.index)
    }

    /// The models that are meant by this, with their directories.
    pub(crate) fn generating(&self, need: &Need) -> Vec<&Generating> {
        let known = self.world.generating();
        self.generating_at(need).iter().filter_map(|index| known.get(index)).collect()
    }

    /// The same, by their positions.
    pub(crate) fn generating_positions(&self, need: &Need) -> Vec<usize> {
        let known = self.world.generating();
        self.generating_at(need).into_iter().filter(|index| known.contains_key(index)).collect()
    }
}

/// What the tasks of a model have generated, for a task of a machine: a parameter `#[inject] site: &Generated<Algebra>`.
///
/// It is the [`ModelDir`] of the nearest such model, as everywhere: of the machine itself, or of a scope around it. The task runs again
/// when one of the model's tasks ran later.
///
/// ```no_run
/// use carthage::prelude::*;
///
/// #[enclave]
/// pub struct Algebra {
///     web: Web,
/// }
///
/// #[model_tasks]
/// impl Algebra {
///     /// Say who is here.
///     #[setup_task]
///     async fn render(&self, dir: &ModelDir) -> Result<()> {
///         dir.write("hosts", self.web.name()).await
///     }
/// }
///
/// #[derive(Default)]
/// pub struct Install;
///
/// #[customization]
/// impl Install {
///     /// Take it in.
///     #[setup_task]
///     async fn hosts(&self, host: &Host, #[inject] made: &Generated<Algebra>) -> Result<()> {
///         host.copy_in(made.path_of("hosts")?, "/etc/algebra").await
///     }
/// }
///
/// #[machine_model]
/// pub struct Web {
///     #[customize]
///     install: Install,
/// }
/// ```
pub struct Generated<T> {
    dir: ModelDir,
    of: PhantomData<fn() -> T>,
}

impl<T> Deref for Generated<T> {
    type Target = ModelDir;

    fn deref(&self) -> &ModelDir {
        &self.dir
    }
}

impl<T: ModelTasks> Wanted for Generated<T> {
    const KEY: Key = T::KEY;
    const MODE: Mode = Mode::Generated;

    fn from_found(_: Option<Value>, place: &Place, need: &'static Need) -> Result<Self, Error> {
        match place.generating(need)[..] {
            [model] => Ok(Self { dir: model.dir.clone(), of: PhantomData }),
            ref several => {
                let (name, at, wanted, count) = (need.name, need.at, need.key.name(), several.len());
                let what =
                    format!("`{name}` at {at} wants what one `{wanted}` generates, and there are {count}");
                Err(Error::new(ErrorKind::Injection, what))
            }
        }
    }
}

impl<T> Clone for Generated<T> {
    fn clone(&self) -> Self {
        Self { dir: self.dir.clone(), of: PhantomData }
    }
}

impl<T> fmt::Debug for Generated<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Generated").field(&self.dir.name()).finish()
    }
}
