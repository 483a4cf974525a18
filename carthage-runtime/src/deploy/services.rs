//! Services whose task is no longer in the layout: ended by the next deployment.
//!
//! That a service was spawned by a task of the layout is known by the task's stamp. What was applied or started by hand has no
//! such stamp, and is left alone; and when a task is gone and its services with it, its stamp goes too.

use std::collections::BTreeSet;

use super::progress::Progress;
use super::things::Thing;
use super::{Action, Deployment, Step};
use crate::error::Error;
use crate::machine::engine::ServiceStatus;
use crate::machine::{Machine, is_spawned_by};
use crate::model::Role;
use crate::reason::Reason;
use crate::state::{Change, Kind};

impl Deployment {
    /// The tasks that a machine had from the layout, and has no more.
    pub(super) fn tasks_gone(&self, index: usize) -> Result<Vec<String>, Error> {
        let tasks = self.world.placement(index).node().parts.iter().flat_map(|part| {
            let tasks = match &part.role {
                Role::Customize(node) => node.tasks,
                _ => &[],
            };
            tasks.iter().map(|task| format!("{}.{}", part.field, task.name))
        });
        self.world.setting(index).stamps.of_tasks_gone(&tasks.collect::<BTreeSet<_>>())
    }

    /// What deploying would end of the services of a machine that exists.
    pub(super) async fn services_to_end(&self, index: usize, machine: &Machine) -> Result<Vec<Step>, Error> {
        let gone = self.tasks_gone(index)?;
        let of = |service: ServiceStatus| {
            Step::new(thing(machine, &service.name), Action::Destroy, Reason::TaskGone)
        };
        Ok(services_of(machine, &gone).await?.into_iter().map(of).collect())
    }

    /// Ends them, before the tasks that may be there in their place.
    pub(super) async fn end_services(
        &self,
        index: usize,
        machine: &Machine,
        progress: &Progress,
    ) -> Result<(), Error> {
        let told = |error: Error| progress.tell(&machine.thing(), Action::Deploy, &error);
        let gone = self.tasks_gone(index).map_err(told)?;
        for service in services_of(machine, &gone).await.map_err(told)? {
            let (name, verdict) = (thing(machine, &service.name), (Action::Destroy, Reason::TaskGone));
            progress
                .step(&name, Some(verdict), async |_| {
                    let intent = self.ledger.intend(&name, Action::Destroy.word()).await?;
                    let ended = machine.remove_service(&service.name).await;
                    intent.settle(ended, |()| Change::Nothing).await
                })
                .await?;
        }
        self.forget_tasks(index, gone).await.map_err(told)
    }

    /// What machines had and have no more is forgotten where nothing is left of it.
    pub(super) async fn forget_tasks_gone(&self, among: &BTreeSet<usize>) -> Result<(), Error> {
        for at in among {
            let Thing::Machine(index, _) = &self.things.all[*at] else { continue };
            self.forget_tasks(*index, self.tasks_gone(*index)?).await?;
        }
        Ok(())
    }

    async fn forget_tasks(&self, index: usize, gone: Vec<String>) -> Result<(), Error> {
        if gone.is_empty() {
            return Ok(());
        }
        let stamps = self.world.setting(index).stamps.clone();
        super::blocking(move || stamps.remove(&gone)).await
    }
}

/// `service:mirror.algebra/site.serve`
fn thing(machine: &Machine, service: &str) -> String {
    format!("service:{}/{service}", machine.name())
}

/// The machine of a task or a service, as a thing: what is done with them is done with it. A model's own task is called by its name
/// alone, and a machine's behind its customization's.
pub(super) fn whose(thing: &str) -> String {
    let part = thing.strip_prefix("task:").or_else(|| thing.strip_prefix("service:"));
    match part.and_then(|part| part.split_once('/')) {
        Some((model, task)) if !task.contains('.') => format!("model:{model}"),
        Some((machine, _)) => Kind::Machine.thing(machine),
        None => thing.to_owned(),
    }
}

/// Whether one of these tasks spawned the service.
pub(super) fn is_of(gone: &[String], service: &str) -> bool {
    gone.iter().any(|task| is_spawned_by(task, service))
}

/// The services of these tasks. The machine is asked only if there are any tasks.
async fn services_of(machine: &Machine, gone: &[String]) -> Result<Vec<ServiceStatus>, Error> {
    if gone.is_empty() {
        return Ok(Vec::new());
    }
    let services = machine.services().await?;
    Ok(services.into_iter().filter(|service| is_of(gone, &service.name)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_is_its_tasks() {
        let gone = ["site.serve".to_owned()];
        for ours in ["site.serve", "site.serve.2", "site.serve.10"] {
            assert!(is_of(&gone, ours), "{ours}");
        }
        for others in ["site.server", "site.serve.", "site.serve.x", "site", "site.serve.2.3", "serve"] {
            assert!(!is_of(&gone, others), "{others}");
        }
        for of_it in ["task:m.a/site.serve", "service:m.a/site.serve.2", "machine:m.a"] {
            assert_eq!(whose(of_it), "machine:m.a");
        }
        assert_eq!(whose("network:lab"), "network:lab");
        assert_eq!(whose("task:m.a/render"), "model:m.a");
    }
}
