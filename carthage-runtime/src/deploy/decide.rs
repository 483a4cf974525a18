//! Whether a machine or a network needs work, and why: one function each, for the plan and for the run.

use std::collections::BTreeSet;

use crate::machine::engine::{
    Alteration, Aspect, Effect, Identity, LinkSpec, MachineSpec, NetworkSpec, Presence,
};
use crate::machine::{MadeFrom, not_root};
use crate::reason::Reason;
use crate::state::Record;
use crate::step::Action;

/// What must be done, and why; `None` is nothing.
pub(crate) type Verdict = Option<(Action, Reason)>;

/// What a machine's implementation says of itself.
#[derive(Clone, Copy)]
pub(crate) struct Rules<'a> {
    /// Whether it makes machines, and does not only reach them.
    pub(crate) makes: bool,
    /// What must be done to a machine when this changes.
    pub(crate) effect: &'a dyn Fn(Aspect) -> Effect,
    /// What the same run does to the machine whose links it shares.
    pub(crate) shared: Option<Action>,
}

/// What the layout wants otherwise.
fn changed(changes: impl Into<Vec<String>>) -> Reason {
    Reason::Changed { changes: changes.into() }
}

/// What a machine needs to be as the layout wants it. `wanted` holds what it would be made from now; `names` says how the names
/// that it can reach changed, if they did.
pub(crate) fn machine(
    rules: Rules<'_>,
    record: Option<&Record>,
    presence: &Presence,
    wanted: &MadeFrom,
    names: impl FnOnce() -> String,
) -> Verdict {
    if !rules.makes {
        return reached(rules, record, presence, wanted, names);
    }
    let moved = record.and_then(MadeFrom::of).and_then(|old| moved(rules, presence, &old, wanted));
    if let Some((Action::Recreate, _)) = moved {
        return moved;
    }
    let Some(identity) = presence.identity() else {
        return match record {
            None => Some((Action::Create, Reason::Missing)),
            Some(_) => Some((Action::Create, Reason::RemovedOutside)),
        };
    };
    if let Some(why) = record.and_then(|record| anew_by_name(rules, record, wanted)) {
        return Some((Action::Recreate, why));
    }
    let another = record.is_some_and(|record| record.identity != *identity);
    let made_from = record.filter(|_| !another).and_then(MadeFrom::of);
    let changes = made_from.as_ref().map(|old| changes(&old.spec, &wanted.spec)).unwrap_or_default();
    let altered = altered(presence, &changes);
    let effects = changes.iter().map(|(aspect, _)| (rules.effect)(*aspect));
    let effect = effects.chain(altered.iter().map(|one| one.mends)).max();
    let why = |least: Effect| {
        let of = changes.iter().filter(|(aspect, _)| (rules.effect)(*aspect) >= least);
        let altered = altered.iter().filter(|one| one.mends >= least);
        because(of.map(|(_, why)| why.clone()).collect(), altered.map(|one| one.what.clone()).collect())
    };
    if effect == Some(Effect::Recreate) {
        return Some((Action::Recreate, why(Effect::Recreate)));
    }
    if moved.is_some() {
        return moved;
    }
    match presence {
        Presence::Stopped(_) if record.is_none() => Some((Action::Start, Reason::HalfMade)),
        Presence::Absent | Presence::Stopped(_) => Some((Action::Start, Reason::NotRunning)),
        Presence::Stranded(..) => Some((Action::Restart, Reason::Stranded)),
        Presence::Unknown(_, why) => Some((Action::Restart, Reason::Silent { cause: why.clone() })),
        Presence::Running(_) | Presence::Altered(..) => match (&made_from, effect) {
            (None, effect) => {
                let action = if effect == Some(Effect::Restart) { Action::Restart } else { Action::Update };
                Some((action, if another { Reason::ReplacedOutside } else { Reason::NotWrittenDown }))
            }
            (Some(_), Some(Effect::Restart)) => Some((Action::Restart, why(Effect::Update))),
            (Some(old), _) => match (updated(old, wanted, names), altered.is_empty()) {
                (verdict, true) => verdict,
                (Some((action, Reason::Changed { changes })), false) => {
                    let altered = altered.iter().map(|one| one.what.clone()).collect();
                    Some((action, because(changes, altered)))
                }
                (_, false) => Some((Action::Update, why(Effect::Update))),
            },
        },
    }
}

/// What of a machine that runs somebody else has changed: the model says the same as when it was started.
pub(crate) fn altered<'a>(presence: &'a Presence, changes: &[(Aspect, String)]) -> Vec<&'a Alteration> {
    let is_new = |one: &&Alteration| changes.iter().any(|(aspect, _)| *aspect == one.aspect);
    presence.alterations().iter().filter(|one| !is_new(one)).collect()
}

/// Why something is changed that the layout wants otherwise, or somebody else has changed, or both.
fn because(mut changes: Vec<String>, altered: Vec<String>) -> Reason {
    let outside = Reason::AlteredOutside { changes: altered };
    match &outside {
        Reason::AlteredOutside { changes: altered } if altered.is_empty() => changed(changes),
        _ if changes.is_empty() => outside,
        _ => {
            changes.push(outside.to_string());
            changed(changes)
        }
    }
}

/// What a machine needs because its network is that of another, which gets a new one in this run, or got one since.
fn moved(rules: Rules<'_>, presence: &Presence, old: &MadeFrom, wanted: &MadeFrom) -> Verdict {
    let other = &wanted.spec.shares_links.as_ref()?.machine;
    // Else it is changed anyway.
    old.spec.shares_links.as_ref().filter(|shared| shared.machine == *other)?;
    let (effect, what) = match (rules.shared, presence) {
        (Some(Action::Create | Action::Recreate), _) => ((rules.effect)(Aspect::SharedLinks), "is made anew"),
        (Some(Action::Restart), _) => (Effect::Restart, "is restarted"),
        (_, Presence::Stranded(_, effect @ Effect::Recreate)) => (*effect, "was made anew"),
        (_, Presence::Stranded(_, effect)) => (*effect, "was stopped or restarted"),
        _ => return None,
    };
    let action = match effect {
        Effect::Recreate => Action::Recreate,
        // What is not there is made, and then is where it should be.
        _ if *presence == Presence::Absent => return None,
        _ => Action::Restart,
    };
    Some((action, Reason::SharedLinks { machine: other.clone(), how: what.to_owned() }))
}

/// Why a machine is made anew that its implementation cannot rename.
fn anew_by_name(rules: Rules<'_>, record: &Record, wanted: &MadeFrom) -> Option<Reason> {
    let (before, name) = (MadeFrom::of(record)?.spec.name, &wanted.spec.name);
    let anew = before != *name && (rules.effect)(Aspect::Name) == Effect::Recreate;
    anew.then(|| changed([format!("its name changed from {before} to {name}")]))
}

/// What a machine needs that is not made from here.
fn reached(
    rules: Rules<'_>,
    record: Option<&Record>,
    presence: &Presence,
    wanted: &MadeFrom,
    names: impl FnOnce() -> String,
) -> Verdict {
    let Some(record) = record else { return Some((Action::Adopt, Reason::NotTakenOver)) };
    if let Some(why) = anew_by_name(rules, record, wanted) {
        return Some((Action::Adopt, why));
    }
    match presence {
        Presence::Absent => Some((Action::Adopt, Reason::NotKnownThere)),
        Presence::Stopped(_) | Presence::Stranded(..) => {
            Some((Action::Start, Reason::NoAnswer { cause: None }))
        }
        Presence::Unknown(_, why) => Some((Action::Start, Reason::NoAnswer { cause: Some(why.clone()) })),
        Presence::Running(identity) | Presence::Altered(identity, _) if record.identity != *identity => {
            Some((Action::Adopt, Reason::AnotherThere))
        }
        Presence::Running(_) | Presence::Altered(..) => match MadeFrom::of(record) {
            None => Some((Action::Update, Reason::TakeOverNotWrittenDown)),
            Some(old) => updated(&old, wanted, names),
        },
    }
}

/// What differs between what a machine was made from and what it would be made from now, apart from the names.
pub(crate) fn changes(old: &MachineSpec, new: &MachineSpec) -> Vec<(Aspect, String)> {
    let mut changes = Vec::new();
    let mut compare = |aspect, what: &str, old: Option<String>, new: Option<String>| {
        if old != new {
            let show = |value: Option<String>| value.unwrap_or_else(|| "none".to_owned());
            changes.push((aspect, format!("its {what} changed from {} to {}", show(old), show(new))));
        }
    };
    compare(Aspect::Name, "name", Some(old.name.clone()), Some(new.name.clone()));
    let path = |path: &Option<std::path::PathBuf>| path.as_ref().map(|path| path.display().to_string());
    let text = |number: Option<u64>| number.map(|number| number.to_string());
    compare(Aspect::Root, "root directory", path(&old.root), path(&new.root));
    compare(Aspect::Image, "image", old.image.clone(), new.image.clone());
    compare(Aspect::Memory, "memory_mb", text(old.memory_mb), text(new.memory_mb));
    compare(Aspect::Cpus, "cpus", text(old.cpus.map(Into::into)), text(new.cpus.map(Into::into)));
    compare(Aspect::Hostname, "host name", Some(old.hostname.clone()), Some(new.hostname.clone()));
    let mut differs = |aspect, what: &str, same: bool| {
        if !same {
            changes.push((aspect, format!("its {what} changed")));
        }
    };
    differs(Aspect::Boot, "kernel", old.boot == new.boot);
    differs(Aspect::Disks, "disk_sizes", old.disk_sizes == new.disk_sizes);
    differs(Aspect::Disks, "disk_config", old.disk_config == new.disk_config);
    differs(Aspect::Disks, "disk_cache", old.disk_cache == new.disk_cache);
    let devices = |spec: &MachineSpec| {
        (spec.architecture, spec.hardware_tpm, spec.nested_virt, spec.console_needed, spec.cloud_init)
    };
    differs(Aspect::Devices, "devices", devices(old) == devices(new));
    differs(Aspect::Options, "options", old.options == new.options);
    differs(Aspect::Firmware, "firmware_type", old.firmware == new.firmware);
    differs(Aspect::Mounts, "mounts", old.mounts == new.mounts);
    differs(Aspect::Ports, "exposed ports", old.ports == new.ports);
    differs(Aspect::Login, "login", old.login == new.login);
    // A value may be nobody's business; its name is enough.
    for name in old.environment.keys().chain(new.environment.keys()).collect::<BTreeSet<_>>() {
        if old.environment.get(name) != new.environment.get(name) {
            changes.push((Aspect::Environment, format!("its environment changed in `{name}`")));
        }
    }
    let shares = |spec: &MachineSpec| spec.shares_links.as_ref().map(|shared| shared.machine.clone());
    match (shares(old), shares(new)) {
        (before, now) if before == now => {}
        (_, Some(other)) => {
            changes.push((Aspect::SharedLinks, format!("it shares the links of `{other}` now")));
        }
        (Some(other), _) => {
            changes.push((Aspect::SharedLinks, format!("it shares the links of `{other}` no more")));
        }
        (None, None) => {}
    }
    for link in &new.links {
        let name = &link.interface;
        match old.links.iter().find(|before| before.interface == *name) {
            None => changes.push((Aspect::Links, format!("it has a new link `{name}`"))),
            // What is there already has an address of its own; one that was made up for it once says nothing.
            Some(before) if *link != (LinkSpec { mac: link.mac.and(before.mac), ..before.clone() }) => {
                changes.push((Aspect::Links, format!("its link `{name}` changed")));
            }
            Some(_) => {}
        }
    }
    let gone =
        old.links.iter().filter(|before| new.links.iter().all(|link| link.interface != before.interface));
    changes.extend(gone.map(|link| (Aspect::Links, format!("its link `{}` is gone", link.interface))));
    changes
}

/// What a running machine needs that can be done while it runs.
fn updated(old: &MadeFrom, wanted: &MadeFrom, names: impl FnOnce() -> String) -> Verdict {
    let mut why: Vec<_> = changes(&old.spec, &wanted.spec).into_iter().map(|(_, why)| why).collect();
    why.extend(user_change(old, wanted));
    if old.spec.policy != wanted.spec.policy {
        // What was recorded last is what counts once it is no longer in the layout.
        why.push("its policy changed".to_owned());
    }
    if old.hosts != wanted.hosts {
        why.push(names());
    }
    (!why.is_empty()).then(|| (Action::Update, changed(why)))
}

/// How the user changed as whom a machine's commands run. What runs already goes on; tasks know for themselves whose they are.
fn user_change(old: &MadeFrom, new: &MadeFrom) -> Option<String> {
    let user = |made: &'_ MadeFrom| not_root(made.spec.runas_user.as_deref()).unwrap_or("root").to_owned();
    let (old, new) = (user(old), user(new));
    (old != new).then(|| format!("its runas_user changed from {old} to {new}"))
}

/// What a network needs to be as the layout wants it.
pub(crate) fn network(record: Option<&Record>, presence: &Presence, wanted: &NetworkSpec) -> Verdict {
    let same = |identity: &Identity| {
        let made_from = record.filter(|record| record.identity == *identity);
        made_from.and_then(|record| record.spec.read::<NetworkSpec>())
    };
    let (action, why) = match presence {
        Presence::Absent if record.is_some() => (Action::Create, Reason::RemovedOutside),
        Presence::Absent => (Action::Create, Reason::Missing),
        Presence::Stopped(_) | Presence::Stranded(..) | Presence::Unknown(..) => {
            (Action::Create, Reason::Broken)
        }
        Presence::Running(identity) | Presence::Altered(identity, _) => match same(identity) {
            Some(old) if old == *wanted => return None,
            Some(old) if (NetworkSpec { policy: old.policy, ..wanted.clone() }) == old => {
                (Action::Update, changed(["its policy changed".to_owned()]))
            }
            Some(_) => (Action::Update, changed(["its addressing changed".to_owned()])),
            None if record.is_some_and(|record| record.identity != *identity) => {
                (Action::Update, Reason::ReplacedOutside)
            }
            None => (Action::Update, Reason::NotWrittenDown),
        },
    };
    Some((action, why))
}

#[cfg(test)]
#[path = "decide_tests.rs"]
mod tests;
