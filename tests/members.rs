//! Members of which it is decided at run time, or by the profile, whether they are there and how many.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail like tests")]

use std::sync::Mutex;

use carthage::deploy::{Access, Deployment, Options};
use carthage::prelude::*;
use carthage::{Error, chain};

#[network(v4 = "10.1.0.0/24", pool = "10.1.0.1-10.1.0.250")]
struct Lan;

#[machine_model]
struct Desk {
    #[link]
    eth0: Link<Lan>,
}

#[machine_model(name = "desk")]
struct Spare {
    #[link]
    eth0: Link<Lan>,
}

/// Watches those that are there.
#[machine_model]
#[depends_on(Desk)]
struct Probe {
    #[link]
    eth0: Link<Lan>,
    #[inject]
    all: Vec<Placed<Desk>>,
}

#[machine_model]
struct Viewer {
    #[inject]
    probe: Option<Placed<Probe>>,
}

#[enclave(domain = "room")]
struct Room {
    #[inject]
    people: Arc<People>,
    #[member(list = people.of(0))]
    desks: Fleet<Desk>,
}

/// Who is where; made once for each test.
#[injectable]
struct People(Vec<Vec<String>>, u32);

impl People {
    fn of(&self, room: usize) -> Vec<String> {
        self.0.get(room).cloned().unwrap_or_default()
    }
}

/// What the next layout is made of; tests take turns.
static NEXT: Mutex<(Vec<Vec<String>>, bool, u32)> = Mutex::new((Vec::new(), false, 0));

fn people() -> People {
    let mut next = NEXT.lock().unwrap();
    next.2 += 1;
    People(next.0.clone(), next.2)
}

#[layout(name = "members", implementation = Sandbox)]
#[profile(small)]
#[profile(large)]
struct Members {
    #[provide(people())]
    people: Arc<People>,
    lan: Lan,
    #[member(when = NEXT.lock().unwrap().1)]
    probe: Option<Probe>,
    viewer: Viewer,
    #[member(list = people.of(1))]
    rooms: Fleet<Room>,
    #[member(only = large)]
    spare: Option<[Spare; 2]>,
    #[member(name = "last")]
    last: Spare,
}

static TURN: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

async fn opened(
    people: &[&[&str]],
    probe: bool,
    profile: &str,
) -> Result<(Deployment, Placed<Members>), Error> {
    let people = people.iter().map(|room| room.iter().map(|&name| name.to_owned()).collect()).collect();
    *NEXT.lock().unwrap() = (people, probe, 0);
    let state = tempfile::tempdir().unwrap();
    let options = Options {
        state_dir: Some(state.path().to_owned()),
        profile: Some(profile.to_owned()),
        ..Options::default()
    };
    Deployment::open::<Members>(Access::Look, options).await
}

fn names(deployment: &Deployment) -> Vec<&str> {
    deployment.machines().map(Machine::name).collect()
}

#[tokio::test]
async fn as_many_as_a_list_says() {
    let _turn = TURN.lock().await;
    let (deployment, members) = opened(&[&["ann", "bob"], &["paris", "rome"]], true, "small").await.unwrap();
    let desks = ["ann.paris.room", "bob.paris.room", "ann.rome.room", "bob.rome.room"];
    assert_eq!(names(&deployment), [&["probe", "viewer"], &desks[..], &["last"]].concat());

    let rome = &members.rooms["rome"];
    assert_eq!((rome.desks.len(), rome.desks["bob"].name()), (2, "bob.rome.room"));
    assert_eq!(rome.desks["bob"].placement().path(), "rooms.rome.desks.bob");
    assert_eq!(rome.desks["bob"].placement().stamp_dir(), "rooms/rome/desks/bob");
    assert!(members.rooms.named("oslo").is_none());
    let found = |path: &str| members.placement().all().find(path).map(|placement| placement.fqdn());
    assert_eq!(found("rooms.rome.desks.bob"), Some("bob.rome.room"));
    assert_eq!(found("rooms.oslo"), None);
    assert_eq!(found("last"), Some("last"));

    // An array and a fleet mean all of them, an absent one none.
    let probe = members.probe.as_ref().unwrap();
    let all: Vec<_> = probe.all.iter().map(|desk| desk.name()).collect();
    assert_eq!(all, desks);
    assert_eq!(members.viewer.probe.as_ref().map(|probe| probe.name()), Some("probe"));
    // What the lists were asked of is what everybody else gets.
    assert_eq!((members.people.1, rome.people.1), (1, 1));
    let addresses: std::collections::BTreeSet<_> =
        deployment.machines().filter_map(|machine| machine.links().first()?.address).collect();
    assert_eq!(addresses.len(), 6, "{addresses:?}");
}

#[tokio::test]
async fn absent() {
    let _turn = TURN.lock().await;
    let (deployment, members) = opened(&[&["ann"], &[]], false, "small").await.unwrap();
    assert_eq!(names(&deployment), ["viewer", "last"]);
    assert!(members.probe.is_none() && members.rooms.is_empty() && members.spare.is_none());
    assert!(members.viewer.probe.is_none());
}

#[tokio::test]
async fn in_another_profile() {
    let _turn = TURN.lock().await;
    let (deployment, members) = opened(&[&["ann"], &["oslo"]], false, "large").await.unwrap();
    assert_eq!(names(&deployment), ["viewer", "ann.oslo.room", "desk-1", "desk-2", "last"]);
    assert_eq!(members.spare.as_ref().unwrap()[1].name(), "desk-2");

    let error = opened(&[], false, "huge").await.unwrap_err();
    let text = chain(&error);
    assert!(text.contains("no profile `huge`"), "{text}");
    assert!(error.next_step().unwrap().contains("`small`, `large`"));
}

#[tokio::test]
async fn bad_lists() {
    let _turn = TURN.lock().await;
    for (names, wrong) in [
        (&["ann", "ann"][..], "`ann` cannot be one of `desks` of `rooms.oslo`"),
        (&["Ann B"], "`Ann B` cannot be one of"),
        (&[""], "a name is not empty"),
        (&["-a"], "neither begins nor ends with `-`"),
    ] {
        let error = opened(&[names, &["oslo"]], false, "small").await.unwrap_err();
        let text = chain(&error);
        assert!(text.contains(wrong) && text.contains("members.rs:"), "{text}");
    }
    let error = opened(&[&["x"], &["oslo"]], false, "large").await;
    assert!(error.is_ok());
}
