//! Services whose task is renamed or removed, and services that no task of the layout has spawned.

use carthage_e2e::{Lab, lab};

use crate::edits::is_planned_and_done;

/// The services of the server that run, by name.
fn running(lab: &Lab) -> Vec<String> {
    let machine = lab.machine("server.test");
    let services = machine["services"].as_array().unwrap().iter();
    let running = services.filter(|service| service["state"] == "running");
    running.map(|service| service["name"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn what_no_task_has_is_ended() {
    let mut lab = lab!();
    lab.deploy();
    lab.set("TESTLAB_BY_HAND", "true").run(&[]).code(0);
    lab.unset("TESTLAB_BY_HAND");
    let others = ["chosen", "extra.spawned", "extra.spawned.2"];
    assert_eq!(running(&lab), [&others[..], &["site.serve"]].concat());
    lab.run(&["plan"]).code(0);
    lab.set("TESTLAB_SOURCE", "renamed");
    let service = |lab: &Lab| {
        let machine = lab.machine("server.test");
        let services = machine["services"].as_array().unwrap().clone();
        services.into_iter().find(|service| service["name"] == "site.serve").unwrap()
    };
    assert_eq!(service(&lab)["trouble"], "its task is no longer in the layout; `deploy` ends it");
    lab.run(&["status"]).code(0).says("its task is no longer in the layout; `deploy` ends it");
    let rename = [
        "destroy service:server.test/site.serve: its task is no longer in the layout",
        "run task:server.test/site.answer: never ran",
        "run task:server.test/site.announce: `answer` runs before it",
    ];
    // The new one takes the port of the old one, which must be free by then.
    is_planned_and_done(&lab, &rename);
    assert_eq!(running(&lab), [&others[..], &["site.answer"]].concat());
    lab.run(&["stop", "server"]).code(0);
    // And back, while it is stopped: it is known all the same.
    lab.unset("TESTLAB_SOURCE");
    let plan = lab.run(&["plan", "--json"]).code(2).steps();
    assert!(
        plan.contains(&"destroy service:server.test/site.answer: its task is no longer in the layout".into()),
        "{plan:?}"
    );
    lab.deploy();
    lab.run(&["plan"]).code(0);
    assert_eq!(running(&lab), [&others[..], &["site.serve"]].concat());
}
