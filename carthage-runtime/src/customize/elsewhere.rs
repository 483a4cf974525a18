//! What a task has to do with other machines and with models: machines that run while it does, and tasks that come before it.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::{Application, Inspected};
use crate::error::Error;
use crate::event::Events;
use crate::machine::RunningGuard;
use crate::model::{Mode, Need};
use crate::reason::Reason;
use crate::step::Action;
use crate::task::Last;
use crate::task::decide::{Answer, Earlier};

/// One way through a layout, of a plan or of a run: what became of the tasks that it has come past, for those of other machines
/// that look at them.
///
/// Without one, as when something is applied by hand, what the stamps say counts.
#[derive(Debug, Default)]
pub(crate) struct Walk {
    /// Whether any task looks at another machine: if none does, nothing is kept.
    keeps: bool,
    /// Whether nothing is done, and no machine may be started.
    plans: bool,
    /// By name: `mirror.algebra/site.index`.
    tasks: Mutex<HashMap<String, Earlier>>,
    /// Machines with which something will be done.
    changing: Mutex<HashSet<String>>,
    /// Where what is done is told, if not where everything is.
    events: Option<Events>,
    /// All tasks that it has come past, if somebody wants to know how each stands.
    seen: Option<Mutex<Vec<Inspected>>>,
}

impl Walk {
    /// Of a plan; `keeps` if any task looks at another machine.
    pub(crate) fn plan(keeps: bool) -> Self {
        Self { keeps, plans: true, ..Self::default() }
    }

    /// Of a run.
    pub(crate) fn run(keeps: bool) -> Self {
        Self { keeps, ..Self::default() }
    }

    /// What is done with its tasks is told there.
    pub(crate) fn telling(self, events: &Events) -> Self {
        Self { events: Some(events.clone()), ..self }
    }

    /// How each task stands is kept.
    pub(crate) fn inspecting(self) -> Self {
        Self { seen: Some(Mutex::default()), ..self }
    }

    /// How each task stands that it has come past.
    pub(crate) fn into_inspected(self) -> Vec<Inspected> {
        self.seen.map(|seen| seen.into_inner().unwrap_or_else(PoisonError::into_inner)).unwrap_or_default()
    }

    /// Something will be done with a machine, or with its tasks.
    pub(crate) fn changes(&self, machine: &str) {
        if self.keeps {
            lock(&self.changing).insert(machine.to_owned());
        }
    }
}

impl Application<'_> {
    /// What becomes of a task, told to those of other machines.
    pub(super) fn is(&self, task: usize, is: Earlier) -> Earlier {
        if self.walk.keeps {
            lock(&self.walk.tasks).insert(self.name(task).to_owned(), is);
        }
        is
    }

    /// Where what is done with its tasks is told.
    pub(super) fn events(&self) -> &Events {
        self.walk.events.as_ref().unwrap_or(&self.setting.events)
    }

    /// Whether they belong to no run.
    pub(super) fn is_by_hand(&self) -> bool {
        self.walk.events.is_none()
    }

    /// Whether somebody wants to know how each task stands, and nothing else.
    pub(super) fn inspects(&self) -> bool {
        self.walk.seen.is_some()
    }

    /// How a task stands, for whoever wants to know; what is not known of its last time is read.
    pub(super) fn see(&self, task: usize, last: Option<&Last>, would: Option<(Action, &Reason)>) {
        let Some(seen) = &self.walk.seen else { return };
        let would = would.map(|(action, why)| (action, why.clone()));
        let read = || self.setting.stamps.read(self.stem(task));
        let last = last.map_or_else(|| Cow::Owned(read()), Cow::Borrowed);
        let inspected = Inspected::new(self.thing(task), &last, would);
        lock(seen).push(inspected);
    }

    fn depends(&self, task: usize, how: impl Fn(Mode) -> bool) -> impl Iterator<Item = &'static Need> {
        self.tasks()[task].needs.iter().filter(move |need| how(need.mode))
    }

    /// The tasks of other machines, and of models whose directory it reads, that come before one, by their names.
    pub(super) fn before_elsewhere(&self, task: usize) -> Vec<(String, Earlier)> {
        let mut before = Vec::new();
        let mut add = |name: String, last: &dyn Fn() -> Last| {
            let known = lock(&self.walk.tasks).get(&name).copied();
            before.push((format!("task:{name}"), known.unwrap_or_else(|| Earlier::of(&last()))));
        };
        for need in self.tasks()[task].needs.iter().filter(|need| need.mode == Mode::Generated) {
            for generating in self.place.generating(need) {
                for task in generating.tasks() {
                    add(format!("{}/{task}", generating.dir.name()), &|| {
                        generating.setting.stamps.read(task)
                    });
                }
            }
        }
        for need in self.tasks()[task].needs {
            let Mode::After { customization, task } = need.mode else { continue };
            for place in self.place.depended_on(need) {
                let Some(field) = place.placement().node().field_of(need.key, customization) else {
                    continue;
                };
                let stem = format!("{field}.{task}");
                let name = format!("{}/{stem}", place.machine().name());
                add(name, &|| place.setting().stamps.read(&stem));
            }
        }
        before
    }

    /// What the checks of a task say before they are asked: that they are not, or that a machine that they look at is changed first.
    pub(super) fn unasked(&self, task: usize) -> Answer {
        let machines = self.depends(task, |mode| mode == Mode::RunningToJudge);
        let mut machines = machines.flat_map(|need| self.place.depended_on(need));
        let changing = lock(&self.walk.changing);
        match machines.find(|place| changing.contains(place.machine().name())) {
            Some(place) => Answer::AskedAfter(place.machine().thing()),
            None => Answer::NotAsked,
        }
    }

    /// Keeps the machines running that a task depends on; to judge it, only those that it needs for that.
    pub(super) async fn keep_running(&self, task: usize, to_judge: bool) -> Result<Vec<RunningGuard>, Error> {
        let mut guards = Vec::new();
        if self.walk.plans {
            return Ok(guards);
        }
        for need in
            self.depends(task, |mode| mode == Mode::RunningToJudge || !to_judge && mode == Mode::Running)
        {
            for place in self.place.depended_on(need) {
                guards.push(place.machine().machine_running().await?);
            }
        }
        Ok(guards)
    }
}

/// Lets go of machines, and waits for those that stop.
pub(super) async fn release(guards: Vec<RunningGuard>) -> Result<(), Error> {
    for guard in guards {
        guard.release().await?;
    }
    Ok(())
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
