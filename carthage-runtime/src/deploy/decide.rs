//! Whether a machine or a network needs work, and why: one function each, for the plan and for the run.

use crate::machine::engine::{Identity, NetworkSpec, Presence};
use crate::machine::{MadeFrom, not_root};
use crate::state::Record;
use crate::step::Action;

/// What must be done, and why; `None` is nothing.
pub(crate) type Verdict = Option<(Action, String)>;

/// What a machine needs to be as the layout wants it. `wanted` holds what it would be made from now; `names` says how the names
/// that it can reach changed, if they did.
pub(crate) fn machine(
    record: Option<&Record>,
    presence: &Presence,
    wanted: &MadeFrom,
    names: impl FnOnce() -> String,
) -> Verdict {
    let say = |action, why: &str| Some((action, why.to_owned()));
    let Some(identity) = presence.identity() else {
        return match record {
            None => say(Action::Create, "it does not exist"),
            Some(_) => say(Action::Create, "it was removed from outside"),
        };
    };
    let made_from = record.filter(|record| record.identity == *identity).and_then(MadeFrom::of);
    if let Some(old) = &made_from
        && old.spec.root != wanted.spec.root
    {
        return say(Action::Recreate, "its root directory changed");
    }
    let changed = made_from.as_ref().map(|old| spec_changes(old, wanted)).unwrap_or_default();
    match presence {
        Presence::Stopped(_) if record.is_none() => {
            say(Action::Start, "an earlier run was ended while it made it")
        }
        Presence::Absent | Presence::Stopped(_) => say(Action::Start, "it is not running"),
        Presence::Unknown(_, why) => {
            Some((Action::Restart, format!("whether it runs cannot be told: {why}")))
        }
        Presence::Running(_) => match &made_from {
            None => say(Action::Update, "an earlier run was ended before it wrote down what it made"),
            Some(_) if !changed.is_empty() => Some((Action::Restart, changed.join(", "))),
            Some(old) => {
                let mut why: Vec<_> = user_change(old, wanted).into_iter().collect();
                if old.hosts != wanted.hosts {
                    why.push(names());
                }
                (!why.is_empty()).then(|| (Action::Update, why.join(", ")))
            }
        },
    }
}

/// What differs between what a machine was made from and what it would be made from now, apart from its root and the names.
fn spec_changes(old: &MadeFrom, new: &MadeFrom) -> Vec<String> {
    let (old, new) = (&old.spec, &new.spec);
    let mut changes = Vec::new();
    let mut compare = |what: &str, old: Option<String>, new: Option<String>| {
        if old != new {
            let show = |value: Option<String>| value.unwrap_or_else(|| "none".to_owned());
            changes.push(format!("its {what} changed from {} to {}", show(old), show(new)));
        }
    };
    compare("memory_mb", old.memory_mb.map(|n| n.to_string()), new.memory_mb.map(|n| n.to_string()));
    compare("cpus", old.cpus.map(|n| n.to_string()), new.cpus.map(|n| n.to_string()));
    compare("host name", Some(old.hostname.clone()), Some(new.hostname.clone()));
    for link in &new.links {
        match old.links.iter().find(|before| before.interface == link.interface) {
            None => changes.push(format!("it has a new link `{}`", link.interface)),
            Some(before) if before != link => changes.push(format!("its link `{}` changed", link.interface)),
            Some(_) => {}
        }
    }
    let gone =
        old.links.iter().filter(|before| new.links.iter().all(|link| link.interface != before.interface));
    changes.extend(gone.map(|link| format!("its link `{}` is gone", link.interface)));
    changes
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
        made_from.and_then(|record| serde_json::from_value::<NetworkSpec>(record.spec.clone()).ok())
    };
    let (action, why) = match presence {
        Presence::Absent if record.is_some() => (Action::Create, "it was removed from outside"),
        Presence::Absent => (Action::Create, "it does not exist"),
        Presence::Stopped(_) | Presence::Unknown(..) => (Action::Create, "it does not work"),
        Presence::Running(identity) => match same(identity) {
            Some(old) if old == *wanted => return None,
            Some(_) => (Action::Update, "its addressing changed"),
            None => (Action::Update, "an earlier run was ended before it wrote down what it made"),
        },
    };
    Some((action, why.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::engine::{LinkSpec, MachineSpec};
    use crate::state::Kind;

    fn wanted() -> MadeFrom {
        let link = LinkSpec {
            interface: "eth0".into(),
            network: "lab".into(),
            address: "10.0.0.2/24".parse().ok(),
            mac: [2, 0, 0, 0, 0, 1],
            mtu: None,
        };
        let spec = MachineSpec {
            name: "m.a".into(),
            hostname: "m".into(),
            memory_mb: Some(64),
            cpus: None,
            root: None,
            runas_user: None,
            links: vec![link],
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
            spec: serde_json::to_value(of).unwrap(),
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
        machine(Some(&record(old, "one")), presence, new, || "names".into())
    }

    #[test]
    fn machines() {
        let new = wanted();
        assert_eq!(verdict(&new, &running("one"), &new), None);
        assert_eq!(
            machine(None, &Presence::Absent, &new, String::new).unwrap(),
            (Action::Create, "it does not exist".into())
        );
        assert_eq!(verdict(&new, &Presence::Absent, &new).unwrap().1, "it was removed from outside");
        assert_eq!(verdict(&new, &stopped("one"), &new).unwrap().0, Action::Start);
        assert_eq!(machine(None, &stopped("one"), &new, String::new).unwrap().0, Action::Start);
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
    fn networks() {
        let new = NetworkSpec { name: "lab".into(), v4: "10.0.0.0/24".parse().ok(), mtu: None };
        let record = Record { spec: serde_json::to_value(&new).unwrap(), ..record(&wanted(), "one") };
        assert_eq!(network(Some(&record), &running("one"), &new), None);
        assert_eq!(network(None, &Presence::Absent, &new).unwrap().0, Action::Create);
        let other = NetworkSpec { mtu: Some(1400), ..new };
        assert_eq!(network(Some(&record), &running("one"), &other).unwrap().0, Action::Update);
    }
}
