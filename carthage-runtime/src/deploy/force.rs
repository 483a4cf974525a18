//! Running tasks because the user says so, and what tasks a machine has.

use std::sync::Arc;

use super::progress::{Progress, all_well};
use super::things::Thing;
use super::{Action, Deployment, Report, Selection, nearest};
use crate::customize::{AnyCustomization, Application, Compared, Names, On, Surroundings, Walk, When};
use crate::error::{Error, ErrorKind};
use crate::layout::{Generating, Place};
use crate::model::Part;

impl Deployment {
    /// The customizations of a machine of the layout, ready to be planned or run, in the order in which they are applied:
    /// those of what need not run come first.
    pub(super) fn applications<'a>(
        &'a self,
        index: usize,
        place: &'a Place,
        walk: &'a Walk,
    ) -> Vec<Application<'a>> {
        let machine = self.world.machine(index);
        let customizations = self.world.customizations(index);
        let application = |(part, customization): (&'static Part, &'a dyn AnyCustomization)| Application {
            field: part.field,
            customization,
            when: self.world.when(index, customization.kind()),
            place,
            on: On::Machine(machine),
            setting: self.world.setting(index),
            planned: self.planned.get(),
            walk,
            compared: Compared::default(),
            surroundings: Surroundings::default(),
            names: Names::default(),
        };
        let mut applications: Vec<_> = customizations.into_iter().map(application).collect();
        applications.sort_by_key(|application| application.when);
        applications
    }

    /// The names of all tasks, without `task:`, by the thing whose they are.
    pub(super) fn task_names(&self) -> Vec<(usize, String)> {
        let (mut names, walk) = (Vec::new(), Walk::default());
        for (at, thing) in self.things.all.iter().enumerate() {
            let (Thing::Machine(index, _) | Thing::Model(index, _)) = thing else { continue };
            let place = self.world.place(*index);
            let applications = match thing {
                Thing::Model(..) => place.model_tasks(None, &walk).into_iter().collect(),
                _ => self.applications(*index, &place, &walk),
            };
            for application in applications {
                let tasks = 0..application.tasks().len();
                names.extend(tasks.map(|task| (at, application.name(task).to_owned())));
            }
        }
        names
    }

    /// Runs the selected tasks, whether they need it or not: `mirror.algebra/site.index`. A machine that does not run, and must
    /// for them, is started and stopped afterwards. What depends on them runs with the next deployment.
    ///
    /// # Errors
    /// When the selection names no task.
    pub async fn run(&self, selection: &Selection) -> Result<Report, Error> {
        self.resolved()?;
        self.world.kept().write_to(self.ledger.clone()).await?;
        let names = self.task_names();
        for pattern in selection.include.iter().chain(&selection.exclude) {
            if !names.iter().any(|(_, name)| pattern.matches("task", name)) {
                let known: Vec<_> = names.iter().map(|(_, name)| name.as_str()).collect();
                let what = format!("`{}` names no task in this layout", pattern.as_str());
                return Err(Error::new(ErrorKind::Usage, what).hint(nearest(pattern.as_str(), &known)));
            }
        }
        let forced = |name: &str| selection.holds("task", &[name]);
        let has_forced = |at: &usize| names.iter().any(|(of, name)| of == at && forced(name));
        let among = (0..self.things.all.len()).filter(has_forced).collect();
        let forced = &forced;
        let work = |at, thing, progress: Arc<Progress>| async move {
            self.run_on(at, thing, forced, &progress).await
        };
        let progress = self.progress();
        self.each(&progress, &self.things.deploys, &among, Action::Run, work).await;
        Ok(self.report(&progress))
    }

    async fn run_on(
        &self,
        at: usize,
        thing: &Thing,
        forced: &(impl Fn(&str) -> bool + Sync),
        progress: &Progress,
    ) -> Result<(), Error> {
        if let Thing::Model(index, model) = thing {
            let place = self.world.place(*index);
            let walk = Walk::default().telling(&progress.events);
            let Some(tasks) = place.model_tasks(self.planned.get(), &walk) else { return Ok(()) };
            let told = |error: Error| progress.tell(&thing.name(), Action::Run, &error);
            self.note_model(at, model).await.map_err(told)?;
            let stop = &self.options.stop;
            let applied = tasks.run(&Generating::identity(), forced, true, stop).await.map_err(told)?;
            return all_well(applied).map_err(|undone| progress.undone(&thing.name(), Action::Run, undone));
        }
        let Thing::Machine(index, machine) = thing else { return Ok(()) };
        let told = |error: Error| progress.tell(&thing.name(), Action::Run, &error);
        let presence = machine.presence().await.map_err(told)?;
        let Some(identity) = presence.identity() else {
            let what = format!("`{}` is not deployed", machine.name());
            return Err(told(Error::new(ErrorKind::NotFound, what).hint("run `deploy` first")));
        };
        if let Some((action @ (Action::Create | Action::Recreate | Action::Restart), why)) =
            self.verdict(thing, machine, &presence, self.planned_for_shared(machine, |_| true).await)
        {
            let what =
                format!("`{}` must be deployed first: {} it, because {why}", machine.name(), action.word());
            return Err(told(Error::new(ErrorKind::Usage, what).hint("run `deploy` first")));
        }
        let place = self.world.place(*index);
        let mut outcome = Ok(());
        let mut guard = None;
        let walk = Walk::default().telling(&progress.events);
        for application in self.applications(*index, &place, &walk) {
            if !(0..application.tasks().len()).any(|task| forced(application.name(task))) {
                continue;
            }
            if application.when == When::Runs && guard.is_none() {
                guard = Some(machine.machine_running().online(true).await.map_err(told)?);
            }
            let applied = application.run(identity, forced, true, &self.options.stop).await.map_err(told)?;
            outcome = outcome.and(all_well(applied));
        }
        if let Some(guard) = guard {
            guard.release().await.map_err(told)?;
        }
        outcome.map_err(|undone| progress.undone(&thing.name(), Action::Run, undone))
    }
}
