//! What must hold after a turn: the report is what the plan said, and the world is that of a fresh deployment.

use std::collections::BTreeSet;

use carthage::deploy::{Action, Plan, Report, Skip, Step};
use carthage_e2e::paper_world::PaperWorld;

use super::story::Story;
use super::versions::first_name;
use super::world::World;

/// A step, as it is compared: what is done to which thing, and why.
fn said(step: &Step) -> String {
    format!("{} {}: {}", step.action.word(), step.thing, step.why)
}

/// Both for people.
pub(crate) fn told(plan: &Plan, done: &Result<Option<Report>, String>) -> String {
    let mut lines = vec!["planned:".to_owned()];
    lines.extend(plan.steps.iter().map(said).chain(plan.notes.iter().cloned()));
    lines.push("done:".to_owned());
    match done {
        Ok(Some(report)) => {
            lines.extend(report.done.iter().map(said));
            lines.extend(report.failed.iter().map(|one| format!("failed {}: {:?}", one.thing, one.causes)));
            lines.extend(report.skipped.iter().map(|one| format!("skipped {}: {}", one.thing, one.why)));
            lines.extend(report.interrupted.iter().map(|thing| format!("interrupted {thing}")));
        }
        Ok(None) => lines.push("nobody knows".to_owned()),
        Err(why) => lines.push(format!("refused: {why}")),
    }
    lines.join("\n  ")
}

/// What the plan could not tell. Of what is there to be asked, those are tasks only.
fn unknown(plan: &Plan) -> BTreeSet<&str> {
    plan.steps.iter().filter(|step| step.action == Action::Ask).map(|step| step.thing.as_str()).collect()
}

/// What was done is what was planned, step for step, but for tasks that the plan marked as unknown.
///
/// # Panics
/// When it is not.
pub(crate) fn is_as_planned(plan: &Plan, report: &Report) {
    let unknown = unknown(plan);
    assert!(unknown.iter().all(|thing| thing.starts_with("task:")), "only tasks are unknown: {unknown:?}");
    let asked = |step: &&Step| !unknown.contains(step.thing.as_str());
    let mut planned: Vec<_> = plan.steps.iter().filter(asked).map(said).collect();
    let mut done: Vec<_> = report.done.iter().filter(asked).map(said).collect();
    planned.sort();
    done.sort();
    assert_eq!(planned, done, "what was planned, and what was done");
    // What stays is told by both.
    let noted = |skip: &Skip| plan.notes.contains(&format!("{} stays: {}", skip.thing, skip.why));
    assert!(report.failed.is_empty() && report.interrupted.is_empty(), "nothing went wrong");
    assert!(report.skipped.iter().all(noted), "what was skipped is noted");
}

/// The same where not all of it came about: nothing else was done, and what was not is told, or its machine is. A plan that was struck
/// itself may know nothing of what did not answer.
///
/// # Panics
/// When it is not.
pub(crate) fn is_part_of_the_plan(plan: &Plan, report: &Report, plan_is_struck: bool) {
    let unknown = unknown(plan);
    assert!(plan_is_struck || unknown.iter().all(|thing| thing.starts_with("task:")), "{unknown:?}");
    let planned: BTreeSet<_> = plan.steps.iter().map(said).collect();
    for step in &report.done {
        let is_planned = planned.contains(&said(step)) || unknown.contains(step.thing.as_str());
        assert!(is_planned, "`{}` was not planned", said(step));
    }
    let failed = report.failed.iter().map(|failed| &failed.thing);
    let told: BTreeSet<_> = failed
        .chain(report.skipped.iter().map(|skip| &skip.thing))
        .chain(&report.interrupted)
        .chain(report.done.iter().map(|step| &step.thing))
        .collect();
    for step in plan.steps.iter().filter(|step| step.action != Action::Ask) {
        let whose = whose(&step.thing);
        let is_told = told.contains(&step.thing) || whose.is_some_and(|whose| told.contains(&whose));
        assert!(is_told, "`{}` was not done, and nobody said so", said(step));
    }
}

/// Whose a task or a service is: where its machine was not reached, that is told.
fn whose(thing: &str) -> Option<String> {
    let part = thing.strip_prefix("task:").or_else(|| thing.strip_prefix("service:"))?;
    let (whose, name) = part.split_once('/')?;
    Some(if name.contains('.') { format!("machine:{whose}") } else { format!("model:{whose}") })
}

/// What the report says is not believed either: whatever was touched has a step.
///
/// # Panics
/// When it has none.
pub(crate) fn touches_only_what_was_planned(plan: &Plan, touched: &BTreeSet<String>) {
    for name in touched {
        let is_of_it = |step: &Step| {
            let (_, named) = step.thing.split_once(':').unwrap();
            first_name(named) == first_name(name)
                || named.strip_prefix(name.as_str()).is_some_and(|rest| rest.starts_with('/'))
        };
        assert!(plan.steps.iter().any(is_of_it), "`{name}` was touched, and is not in the plan");
    }
}

/// The world is that of a fresh deployment of the same layout: networks, machines, whether they run, what is in their files, their
/// services, and what models have generated. Left out is
///
/// * what a policy keeps (`stays`, as the plan notes it), and machines that wait to be named and need not be there;
/// * what each thing is called by its maker, which is made by chance, and the name of a network that was moved: it keeps its first;
/// * files where no task of the machine has written any: they are left by tasks that are gone, and nothing takes them away;
/// * files that somebody changed where no task looks at them again;
/// * services of tasks that are gone, once stamps were lost: these say whose they are.
///
/// # Panics
/// When it is not.
pub(crate) fn is_as_fresh(world: &World, fresh: &World, stays: &BTreeSet<String>, story: &Story) {
    let (now, generated, fresh) = (world.now(), fresh.generated(), &fresh.now());
    assert_eq!(world.generated(), generated, "what models have generated");
    let networks = |world: &PaperWorld| -> BTreeSet<String> {
        world.networks.iter().map(|name| first_name(name).to_owned()).collect()
    };
    let (has, needs) = (networks(&now), networks(fresh));
    let missing: Vec<_> = needs.difference(&has).collect();
    assert!(missing.is_empty(), "networks are missing: {missing:?}");
    for network in has.difference(&needs) {
        let is_kept = stays
            .iter()
            .filter_map(|thing| thing.strip_prefix("network:"))
            .any(|kept| first_name(kept) == network);
        assert!(is_kept, "the network `{network}` is left");
    }
    for name in now.machines.keys().filter(|name| !fresh.machines.contains_key(*name)) {
        let is_kept = stays.contains(&format!("machine:{name}")) && story.may_keep(name);
        assert!(is_kept || story.waits(name), "the machine `{name}` is left");
    }
    for (name, wanted) in &fresh.machines {
        let is = now.machines.get(name);
        let is = is.unwrap_or_else(|| panic!("the machine `{name}` is missing"));
        assert_eq!((is.runs, is.altered), (wanted.runs, false), "whether `{name}` runs, as it was started");
        let services: Vec<_> = wanted.services.symmetric_difference(&is.services).collect();
        let are_left = world.has_lost_stamps && wanted.services.is_subset(&is.services);
        assert!(are_left || services.is_empty(), "services of `{name}`: {services:?}");
        let directory = |file: &str| file[1..].split('/').next().unwrap_or_default().to_owned();
        let written: BTreeSet<_> = wanted.files.keys().map(|file| directory(file)).collect();
        let files: BTreeSet<_> = wanted.files.keys().chain(is.files.keys()).collect();
        for file in files {
            if world.is_blind(name, file) || !written.contains(&directory(file)) {
                continue;
            }
            let (is, wanted) =
                ((is.files.get(file), is.modes.get(file)), (wanted.files.get(file), wanted.modes.get(file)));
            assert_eq!(is, wanted, "`{file}` in `{name}`, and what it is after a fresh deployment");
        }
    }
}

/// What stays, as a plan notes it.
pub(crate) fn stays(plan: &Plan) -> BTreeSet<String> {
    plan.notes.iter().filter_map(|note| Some(note.split_once(" stays: ")?.0.to_owned())).collect()
}
