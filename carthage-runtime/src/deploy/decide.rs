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
        why(of.map(|(_, why)| why.clone()).collect(), altered.map(|one| one.what.clone()).collect())
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
            (_, Some(Effect::Restart)) => Some((Action::Restart, why(Effect::Update))),
            (None, _) if another => Some((Action::Update, Reason::ReplacedOutside)),
            (None, _) => Some((Action::Update, Reason::NotWrittenDown)),
            (Some(old), _) => match (updated(old, wanted, names), altered.is_empty()) {
                (verdict, true) => verdict,
                (Some((action, Reason::Changed { changes })), false) => {
                    let altered = altered.iter().map(|one| one.what.clone()).collect();
                    Some((action, self::why(changes, altered)))
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
fn why(mut changes: Vec<String>, altered: Vec<String>) -> Reason {
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
mod tests {
    use super::*;
    use crate::machine::engine::{LinkSpec, MachineSpec, SharedLinks};
    use crate::state::Kind;

    fn wanted() -> MadeFrom {
        let link = LinkSpec {
            interface: "eth0".into(),
            network: "lab".into(),
            address: "10.0.0.2/24".parse().ok(),
            mac: Some([2, 0, 0, 0, 0, 1]),
            ..LinkSpec::default()
        };
        let spec = MachineSpec {
            name: "m.a".into(),
            hostname: "m".into(),
            memory_mb: Some(64),
            links: vec![link],
            ..MachineSpec::default()
        };
        MadeFrom { spec, hosts: "names".into() }
    }

    fn record(of: &MadeFrom, identity: &str) -> Record {
        Record {
            kind: Kind::Machine,
            name: "m.a".into(),
            path: "a.m".into(),
            implementation: "Sandbox".into(),
            identity: Identity(identity.into()),
            spec: crate::state::Origin::of(of).unwrap(),
            needs: Vec::new(),
            run: 1,
            at: 0,
        }
    }

    fn running(identity: &str) -> Presence {
        Presence::Running(Identity(identity.into()))
    }

    fn stopped(identity: &str) -> Presence {
        Presence::Stopped(Identity(identity.into()))
    }

    fn verdict(old: &MadeFrom, presence: &Presence, new: &MadeFrom) -> Option<(Action, String)> {
        machine(MADE, Some(&record(old, "one")), presence, new, || "names".into())
    }

    /// What is decided, as people read it.
    fn machine(
        rules: Rules<'_>,
        record: Option<&Record>,
        presence: &Presence,
        wanted: &MadeFrom,
        names: impl FnOnce() -> String,
    ) -> Option<(Action, String)> {
        super::machine(rules, record, presence, wanted, names).map(|(action, why)| (action, why.to_string()))
    }

    const MADE: Rules<'static> = Rules { makes: true, effect: &effect, shared: None };
    const REACHED: Rules<'static> = Rules { makes: false, effect: &effect, shared: None };

    fn effect(aspect: Aspect) -> Effect {
        match aspect {
            Aspect::Root => Effect::Recreate,
            Aspect::Cpus => Effect::Update,
            _ => Effect::Restart,
        }
    }

    #[test]
    fn machines() {
        let new = wanted();
        assert_eq!(verdict(&new, &running("one"), &new), None);
        assert_eq!(
            machine(MADE, None, &Presence::Absent, &new, String::new).unwrap(),
            (Action::Create, "it does not exist".into())
        );
        assert_eq!(verdict(&new, &Presence::Absent, &new).unwrap().1, "it was removed from outside");
        assert_eq!(verdict(&new, &stopped("one"), &new).unwrap().0, Action::Start);
        assert_eq!(machine(MADE, None, &stopped("one"), &new, String::new).unwrap().0, Action::Start);
        assert_eq!(verdict(&new, &running("two"), &new).unwrap().0, Action::Update);
        let unknown = Presence::Unknown(Identity("one".into()), "no answer".into());
        assert_eq!(verdict(&new, &unknown, &new).unwrap().0, Action::Restart);
    }

    #[test]
    fn what_changed_is_named() {
        let new = wanted();
        let mut old = wanted();
        old.spec.memory_mb = Some(32);
        old.spec.links.clear();
        let (action, why) = verdict(&old, &running("one"), &new).unwrap();
        assert_eq!(action, Action::Restart);
        assert_eq!(why, "its memory_mb changed from 32 to 64, it has a new link `eth0`");
        let mut old = wanted();
        old.hosts.clear();
        let (action, why) = verdict(&old, &running("one"), &new).unwrap();
        assert_eq!((action, why.as_str()), (Action::Update, "names"));
        old.spec.runas_user = Some("web".into());
        let (action, why) = verdict(&old, &running("one"), &new).unwrap();
        let both = "its runas_user changed from web to root, names";
        assert_eq!((action, why.as_str()), (Action::Update, both));
        let mut old = wanted();
        old.spec.runas_user = Some("0".into());
        assert_eq!(verdict(&old, &running("one"), &new), None, "root by its number is root");
        let mut old = wanted();
        old.spec.root = Some("/srv/root".into());
        assert_eq!(verdict(&old, &running("one"), &new).unwrap().0, Action::Recreate);
    }

    #[test]
    fn the_strongest_effect_decides() {
        let new = wanted();
        let mut old = wanted();
        old.spec.cpus = Some(2);
        assert_eq!(
            verdict(&old, &running("one"), &new).unwrap(),
            (Action::Update, "its cpus changed from 2 to none".into())
        );
        old.spec.memory_mb = None;
        assert_eq!(verdict(&old, &running("one"), &new).unwrap().0, Action::Restart);
        old.spec.root = Some("/srv/root".into());
        let (action, why) = verdict(&old, &running("one"), &new).unwrap();
        assert_eq!(
            (action, why.as_str()),
            (Action::Recreate, "its root directory changed from /srv/root to none")
        );
        old.spec = wanted().spec;
        old.spec.environment.insert("WORD".into(), "secret".into());
        assert_eq!(verdict(&old, &running("one"), &new).unwrap().1, "its environment changed in `WORD`");
    }

    #[test]
    fn who_shares_links_goes_with_whose_they_are() {
        let shared = SharedLinks { machine: "router.a".into(), links: Vec::new() };
        let mut new = wanted();
        new.spec.links.clear();
        new.spec.shares_links = Some(shared);
        let known = record(&new, "one");
        let recreates = |aspect: Aspect| match aspect {
            Aspect::SharedLinks => Effect::Recreate,
            _ => Effect::Restart,
        };
        let one = || Identity("one".into());
        let says = |rules, presence| machine(rules, Some(&known), &presence, &new, String::new);
        let with = |action| Rules { shared: Some(action), ..MADE };
        assert_eq!(says(with(Action::Update), running("one")), None);
        assert_eq!(
            says(with(Action::Restart), running("one")).unwrap(),
            (Action::Restart, "`router.a`, whose links it shares, is restarted".into())
        );
        let (action, why) = says(with(Action::Recreate), running("one")).unwrap();
        assert_eq!(
            (action, why.as_str()),
            (Action::Restart, "`router.a`, whose links it shares, is made anew")
        );
        let anew = Rules { effect: &recreates, ..with(Action::Recreate) };
        // Also when the engine has taken it away with the other.
        for presence in [running("one"), Presence::Absent] {
            assert_eq!(says(anew, presence).unwrap().0, Action::Recreate);
        }
        assert_eq!(says(with(Action::Restart), Presence::Absent).unwrap().0, Action::Create);
        assert_eq!(says(MADE, Presence::Stranded(one(), Effect::Recreate)).unwrap().0, Action::Recreate);
        assert_eq!(
            says(MADE, Presence::Stranded(one(), Effect::Restart)).unwrap(),
            (Action::Restart, "`router.a`, whose links it shares, was stopped or restarted".into())
        );
        let before = wanted();
        let (action, why) = verdict(&before, &running("one"), &new).unwrap();
        let both = "it shares the links of `router.a` now, its link `eth0` is gone";
        assert_eq!((action, why.as_str()), (Action::Restart, both));
        assert!(verdict(&new, &running("one"), &before).unwrap().1.contains("`router.a` no more"));
    }

    #[test]
    fn what_is_only_reached_is_adopted() {
        let new = wanted();
        let verdict = |record: Option<&Record>, presence: &Presence, new: &MadeFrom| {
            machine(REACHED, record, presence, new, || "names".into()).map(|(action, _)| action)
        };
        let known = record(&new, "one");
        assert_eq!(verdict(None, &Presence::Absent, &new), Some(Action::Adopt));
        assert_eq!(verdict(Some(&known), &running("one"), &new), None);
        assert_eq!(verdict(Some(&known), &running("two"), &new), Some(Action::Adopt));
        assert_eq!(verdict(Some(&known), &stopped("one"), &new), Some(Action::Start));
        let mut changed = wanted();
        changed.spec.root = Some("/srv/root".into());
        assert_eq!(verdict(Some(&known), &running("one"), &changed), Some(Action::Update), "never made anew");
    }

    #[test]
    fn networks() {
        let new =
            NetworkSpec { name: "lab".into(), v4: "10.0.0.0/24".parse().ok(), ..NetworkSpec::default() };
        let record = Record { spec: crate::state::Origin::of(&new).unwrap(), ..record(&wanted(), "one") };
        assert_eq!(network(Some(&record), &running("one"), &new), None);
        assert_eq!(network(None, &Presence::Absent, &new).unwrap().0, Action::Create);
        let other = NetworkSpec { mtu: Some(1400), ..new };
        assert_eq!(network(Some(&record), &running("one"), &other).unwrap().0, Action::Update);
    }

    #[test]
    fn what_somebody_else_has_changed_is_not_what_the_layout_changes() {
        let memory = |mends| {
            let what = "its memory is 32 MiB and not 64 MiB".to_owned();
            Presence::Altered(
                Identity("one".into()),
                vec![Alteration { aspect: Aspect::Memory, mends, what }],
            )
        };
        let new = wanted();
        let outside = "changed from outside: its memory is 32 MiB and not 64 MiB".to_owned();
        for (mends, action) in [
            (Effect::Update, Action::Update),
            (Effect::Restart, Action::Restart),
            (Effect::Recreate, Action::Recreate),
        ] {
            assert_eq!(verdict(&new, &memory(mends), &new), Some((action, outside.clone())));
        }
        // The layout says something else than when it was started: that is why it differs.
        let old = MadeFrom { spec: MachineSpec { memory_mb: Some(32), ..new.spec.clone() }, ..new.clone() };
        let (action, why) = verdict(&old, &memory(Effect::Update), &new).unwrap();
        assert_eq!((action, &*why), (Action::Restart, "its memory_mb changed from 32 to 64"));
        // Both at once.
        let old = MadeFrom { hosts: "others".into(), ..new.clone() };
        let (action, why) = verdict(&old, &memory(Effect::Update), &new).unwrap();
        assert_eq!((action, why), (Action::Update, format!("names, {outside}")));
    }
}
