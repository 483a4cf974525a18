//! What is done with tasks by hand: a customization that no model holds is applied, a task of a model is looked at and forced, and
//! those of a whole customization are looked at.

use std::fmt;
use std::marker::PhantomData;

use tokio_util::sync::CancellationToken;

use super::Model;
use super::generating::Generating;
use super::place::Place;
use crate::customize::{
    AnyCustomization, Application, Compared, Names, Now, On, Setting, Surroundings, Walk, When,
};
use crate::error::{Error, ErrorKind};
use crate::machine::engine::Presence;
use crate::task::{Last, Stamp};

/// A setup task of whatever machine is made from the model: `task!(Mirror.site.index)`.
pub struct TaskOf<T: Model> {
    customization: &'static str,
    task: &'static str,
    model: PhantomData<fn() -> T>,
}

impl<T: Model> TaskOf<T> {
    /// The task `task` of the customization in this field. That it is there is checked by `task!`.
    #[must_use]
    pub const fn new(customization: &'static str, task: &'static str) -> Self {
        Self { customization, task, model: PhantomData }
    }

    /// The task at the machine at this place.
    pub(super) fn at(self, place: &Place) -> PlacedTask {
        let field =
            place.placement().node().field_of(T::KEY, self.customization).unwrap_or(self.customization);
        PlacedTask { place: place.clone(), field: field.to_owned(), task: self.task.to_owned() }
    }
}

impl<T: Model> fmt::Debug for TaskOf<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TaskOf({}.{}.{})", T::KEY.name(), self.customization, self.task)
    }
}

/// A setup task of a machine, or of a model itself. From [`Placed::task`](super::Placed::task) or
/// [`Deployment::task`](crate::deploy::Deployment::task).
///
/// ```no_run
/// use carthage::prelude::*;
/// # #[derive(Default)]
/// # struct StaticSite;
/// # #[customization]
/// # impl StaticSite {
/// #     #[setup_task]
/// #     async fn index(&self, host: &Host) -> Result<()> { Ok(()) }
/// # }
/// # #[machine_model]
/// # struct Mirror {
/// #     #[customize]
/// #     site: StaticSite,
/// # }
///
/// async fn again(mirror: &Placed<Mirror>) -> Result<()> {
///     let index = mirror.task(task!(Mirror.site.index));
///     if let Some(stamp) = index.last_run() {
///         println!("{} ran last in {stamp}", index.name());
///     }
///     index.force().await
/// }
/// ```
#[derive(Clone)]
pub struct PlacedTask {
    place: Place,
    field: String,
    task: String,
}

impl PlacedTask {
    /// The task of this name, `site.index`, of the machine at a place; a name alone is that of the model's own task.
    pub(crate) fn find(place: Place, stem: &str) -> Option<Self> {
        if place.generated().is_some_and(|model| model.tasks().any(|task| task == stem)) {
            return Some(Self { place, field: String::new(), task: stem.to_owned() });
        }
        let (field, task) = stem.rsplit_once('.')?;
        let placed = Self { place, field: field.to_owned(), task: task.to_owned() };
        let there = placed.place.customizations().into_iter().any(|(other, customization)| {
            other == field && customization.node().tasks.iter().any(|other| other.name == task)
        });
        there.then_some(placed)
    }

    /// The model whose own task it is, if it is none of a machine.
    fn model(&self) -> Option<&Generating> {
        self.place.generated().filter(|_| self.field.is_empty())
    }

    fn stem(&self) -> String {
        match self.field.as_str() {
            "" => self.task.clone(),
            field => format!("{field}.{}", self.task),
        }
    }

    /// What users call it: `mirror.algebra/site.index`, `algebra/render`.
    #[must_use]
    pub fn name(&self) -> String {
        let of = self.model().map_or_else(|| self.place.machine().name(), |model| model.dir.name());
        format!("{of}/{}", self.stem())
    }

    /// What is known of its last time: that it ran, failed, was interrupted, or nothing. It may have been on an earlier machine of
    /// this name.
    #[must_use]
    pub fn last(&self) -> Last {
        let setting = self.model().map_or_else(|| self.place.setting(), |model| &model.setting);
        setting.stamps.read(&self.stem())
    }

    /// What it left behind when it ran to its end, if that is what it did last. Of one whose check says since when it is done, the
    /// stamp's [time](Stamp::time) is what that said, when the task ran or was found done.
    #[must_use]
    pub fn last_run(&self) -> Option<Stamp> {
        match self.last() {
            Last::Ran(stamp) => Some(stamp),
            _ => None,
        }
    }

    /// Runs it, whether it needs to or not, and no other. The machine, and those that it depends on, are started for it if need be,
    /// and stopped afterwards. What comes after it runs with the next deployment.
    ///
    /// # Errors
    /// When it fails, the machine does not exist, or the deployment was opened to look only.
    pub async fn force(&self) -> crate::Result<()> {
        if let Some(model) = self.model() {
            self.place.world.kept().write_to(model.setting.ledger.clone()).await?;
            model.note_by_hand().await?;
            let (name, walk) = (self.name(), Walk::default());
            if let Some(tasks) = self.place.model_tasks(None, &walk) {
                let stop = &CancellationToken::new();
                let ran = tasks.run(&Generating::identity(), |task| task == name, true, stop).await?;
                ran.into_result()?;
            }
            return Ok(());
        }
        let found = self.place.customizations().into_iter().find(|(field, _)| *field == self.field);
        let (field, customization) = found.ok_or_else(|| {
            let what = format!("`{}` has no customization `{}`", self.place.machine().name(), self.field);
            Error::new(ErrorKind::NotFound, what).hint("`list` shows the tasks of each machine")
        })?;
        let setting = self.place.setting();
        Ok(self.place.run_by_hand(field, customization, setting, Some(&self.name())).await?)
    }
}

impl fmt::Debug for PlacedTask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("PlacedTask").field(&self.name()).finish()
    }
}

/// All tasks of a customization of whatever machine is made from the model: `tasks!(Mirror.site)`.
pub struct TasksOf<T: Model> {
    customization: &'static str,
    model: PhantomData<fn() -> T>,
}

impl<T: Model> TasksOf<T> {
    /// Those of the customization in this field. That it is there is checked by `tasks!`.
    #[must_use]
    pub const fn new(customization: &'static str) -> Self {
        Self { customization, model: PhantomData }
    }

    /// Those at the machine at this place.
    pub(super) fn at(self, place: &Place) -> PlacedTasks {
        let field =
            place.placement().node().field_of(T::KEY, self.customization).unwrap_or(self.customization);
        PlacedTasks { place: place.clone(), field: field.to_owned() }
    }
}

impl<T: Model> fmt::Debug for TasksOf<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TasksOf({}.{})", T::KEY.name(), self.customization)
    }
}

/// All tasks of one of a machine's customizations. From [`Placed::tasks`](super::Placed::tasks).
#[derive(Clone)]
pub struct PlacedTasks {
    place: Place,
    field: String,
}

impl PlacedTasks {
    /// What users call the customization: `mirror.algebra/site`.
    #[must_use]
    pub fn name(&self) -> String {
        format!("{}/{}", self.place.machine().name(), self.field)
    }

    /// What the one of them left behind that ran last, or is done since last by what its check says, if all of them have run and none has to run again. Whether one has to is
    /// decided as in a plan: checks are asked, and nothing is changed or started. `None` also where that cannot be told, as while the
    /// machine does not run, and when there are no tasks.
    ///
    /// ```no_run
    /// use carthage::prelude::*;
    /// # #[derive(Default)]
    /// # struct StaticSite;
    /// # #[customization]
    /// # impl StaticSite {
    /// #     #[setup_task]
    /// #     async fn index(&self, host: &Host) -> Result<()> { Ok(()) }
    /// # }
    /// # #[machine_model]
    /// # struct Mirror {
    /// #     #[customize]
    /// #     site: StaticSite,
    /// # }
    ///
    /// async fn look(mirror: &Placed<Mirror>) -> Result<()> {
    ///     match mirror.tasks(tasks!(Mirror.site)).last_run().await? {
    ///         Some(stamp) => println!("the site is as it is to be, since {stamp}"),
    ///         None => println!("the site has something to do"),
    ///     }
    ///     Ok(())
    /// }
    /// ```
    ///
    /// # Errors
    /// When the machine cannot be asked whether it is there.
    pub async fn last_run(&self) -> crate::Result<Option<Stamp>> {
        let place = &self.place;
        let found = place.customizations().into_iter().find(|(field, _)| *field == self.field);
        let Some((field, customization)) = found else { return Ok(None) };
        let now = match place.machine().presence().await? {
            Presence::Running(identity) | Presence::Altered(identity, _) => Now::Running(identity),
            Presence::Stopped(identity) => Now::Stopped(identity),
            Presence::Absent | Presence::Stranded(..) | Presence::Unknown(..) => return Ok(None),
        };
        let (setting, walk) = (place.setting(), Walk::plan(false));
        let application = place.application(field, customization, setting, &walk);
        let _held = setting.stamps.hold();
        if !application.plan(&now).await.is_empty() {
            return Ok(None);
        }
        let stamps: Option<Vec<_>> = (0..application.tasks().len())
            .map(|task| match setting.stamps.read(application.stem(task)) {
                Last::Ran(stamp) => Some(stamp),
                _ => None,
            })
            .collect();
        let later = |a: Stamp, b: Stamp| if a.since().is_later_than(&b.since()) { a } else { b };
        Ok(stamps.and_then(|stamps| stamps.into_iter().reduce(later)))
    }
}

impl fmt::Debug for PlacedTasks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("PlacedTasks").field(&self.name()).finish()
    }
}

impl Place {
    /// A customization at this place, on its own.
    fn application<'a>(
        &'a self,
        field: &'static str,
        customization: &'a dyn AnyCustomization,
        setting: &'a Setting,
        walk: &'a Walk,
    ) -> Application<'a> {
        Application {
            field,
            customization,
            when: self.world.when(self.index, customization.kind()),
            place: self,
            on: On::Machine(self.machine()),
            setting,
            walk,
            planned: None,
            compared: Compared::default(),
            surroundings: Surroundings::default(),
            names: Names::default(),
        }
    }

    fn customizations(&self) -> Vec<(&'static str, &dyn AnyCustomization)> {
        let all = self.world.customizations(self.index);
        all.into_iter().map(|(part, customization)| (part.field, customization)).collect()
    }

    /// Applies a customization that no model holds to the machine at this place.
    pub(crate) async fn apply(
        &self,
        field: &'static str,
        customization: &dyn AnyCustomization,
    ) -> Result<(), Error> {
        self.run_by_hand(field, customization, &self.setting().by_hand(), None).await
    }

    /// Runs the tasks that must run, or the one that is forced and no other.
    async fn run_by_hand(
        &self,
        field: &'static str,
        customization: &dyn AnyCustomization,
        setting: &Setting,
        forced: Option<&str>,
    ) -> Result<(), Error> {
        let (machine, kind) = (self.machine(), customization.kind());
        if let Some(needed) = kind.asks().iter().find(|needed| !self.world.can(self.index, **needed)) {
            let what = format!("`{field}` cannot be applied to `{}`", machine.name());
            let why = format!("`{}` does not declare `{}`", machine.implementation(), needed.name());
            let hint = "a `#[customization]` of kind `machine` works on every machine that runs";
            return Err(Error::new(ErrorKind::Unsupported, what).because(why).hint(hint));
        }
        self.world.kept().write_to(setting.ledger.clone()).await?;
        let guard = match self.world.when(self.index, kind) {
            When::Exists => None,
            When::Runs => Some(machine.machine_running().online(true).await?),
        };
        let presence = machine.presence().await?;
        let identity = presence.identity().ok_or_else(|| {
            Error::new(ErrorKind::NotFound, format!("`{}` does not exist", machine.name()))
                .hint("deploy it first")
        })?;
        let walk = &Walk::default();
        let application = self.application(field, customization, setting, walk);
        let is_forced = |task: &str| forced == Some(task);
        let applied =
            application.run(identity, is_forced, forced.is_some(), &CancellationToken::new()).await?;
        if let Some(guard) = guard {
            guard.release().await?;
        }
        applied.into_result()
    }
}
