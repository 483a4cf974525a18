//! Tests of what a machine or a network needs.

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
    assert_eq!((action, why.as_str()), (Action::Restart, "`router.a`, whose links it shares, is made anew"));
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
    let new = NetworkSpec { name: "lab".into(), v4: "10.0.0.0/24".parse().ok(), ..NetworkSpec::default() };
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
        Presence::Altered(Identity("one".into()), vec![Alteration { aspect: Aspect::Memory, mends, what }])
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
