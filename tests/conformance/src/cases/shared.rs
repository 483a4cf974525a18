//! A machine that shares another's links: in one network with it, and in nothing else.

use std::time::Duration;

use carthage::Machine;

use super::networks::{fetch, free_port, serve};
use super::{Case, cases};
use crate::ground::{Controllers, Ground, until};
use crate::subject::facts;

pub(super) fn cases() -> Vec<Case> {
    let mut all = cases![open shared: has_the_others_network_and_its_own_name [SharedLinks], ends_with_the_other [SharedLinks]];
    all.extend(cases![closed shared: comes_up_again_with_the_other [SharedLinks, Power]]);
    all
}

/// The number of the network namespace, and what of addresses the machine sees in it.
async fn network(machine: &Machine) -> carthage::Result<String> {
    let number = machine.run(["ls", "-diL", "/proc/self/ns/net"]).await?.text();
    let table = machine.read_to_string("/proc/net/fib_trie").await?;
    Ok(format!("{} {table}", number.split_whitespace().next().unwrap_or_default()))
}

async fn has_the_others_network_and_its_own_name(ground: Ground) -> carthage::Result<()> {
    let Ground { one, other, sharing, .. } = &ground;
    let sharing = sharing.as_ref().unwrap();
    assert!(sharing.links().is_empty());
    assert_eq!(sharing.address(), other.address());
    assert_eq!(network(sharing).await?, network(other).await?);
    assert_ne!(network(sharing).await?, network(one).await?);
    // A port of the one is a port of the other, also for those who are asked by either's name.
    let port = free_port().await;
    serve(sharing, port).await?;
    assert_eq!(fetch(other, "127.0.0.1", port).await?, "sharing");
    for name in [sharing.name(), other.name(), "sharing", "other"] {
        assert_eq!(fetch(one, name, port).await?, "sharing", "{name}");
    }
    for from in [other, sharing] {
        assert_eq!(fetch(from, sharing.name(), port).await?, "sharing", "from {}", from.name());
    }
    serve(one, port).await?;
    assert_eq!(fetch(sharing, one.name(), port).await?, "one");
    // All else is its own.
    for machine in [other, sharing] {
        assert_eq!(machine.run(["uname", "-n"]).await?.text(), machine.spec().hostname);
    }
    let path = ground.path("mine");
    sharing.write(&path, "mine").await?;
    assert!(!other.exists(&path).await?);
    let namespaces = "ls -diL /proc/self/ns/pid /proc/self/ns/mnt";
    let [own, others] =
        [sharing.run(["sh", "-c", namespaces]).await?, other.run(["sh", "-c", namespaces]).await?];
    for (own, others) in own.text().lines().zip(others.text().lines()) {
        assert_ne!(own, others);
    }
    Ok(())
}

async fn ends_with_the_other(ground: Ground) -> carthage::Result<()> {
    let Ground { other, sharing, .. } = &ground;
    let sharing = sharing.as_ref().unwrap();
    other.stop(Duration::from_secs(5)).await?;
    assert_eq!(sharing.is_running().await?, Some(false), "its network is gone");
    let error = format!("{:?}", sharing.start().await.unwrap_err());
    assert!(error.contains(other.name()) && error.contains("is not running"), "{error}");
    other.start().await?;
    sharing.start().await?;
    assert_eq!(network(sharing).await?, network(other).await?);
    Ok(())
}

/// The words of a plan or a run about machines, and the machines.
fn machines(lines: &[String]) -> Vec<&str> {
    let line = |line: &'_ String| line.split_once(": ").map_or("", |(step, _)| step).len();
    lines.iter().map(|step| &step[..line(step)]).filter(|step| step.contains(" machine:")).collect()
}

async fn comes_up_again_with_the_other(later: Controllers) -> carthage::Result<()> {
    let other = later.victims[1].machine.clone();
    let sharing = other.replace("other", "sharing");
    let same = async || {
        let number = ["ls", "-diL", "/proc/self/ns/net"];
        let mut numbers = Vec::new();
        for machine in [&other, &sharing] {
            let lines = later.done(&[&["look", machine], &number[..]].concat()).await;
            assert_eq!(lines[0], "Some(true)", "{machine}");
            numbers.push(lines[1].split_whitespace().next().unwrap().to_owned());
        }
        assert_eq!(numbers[0], numbers[1]);
        assert_eq!(later.done(&["plan"]).await, Vec::<String>::new());
    };
    same().await;
    // Stopped alone, killed, and removed.
    later.done(&["stop", &other]).await;
    later.done(&["deploy"]).await;
    same().await;
    (facts().kill)(later.victims[1].clone()).await?;
    until("it is down", async || later.done(&["look", &other]).await == ["Some(false)"]).await;
    let plan = later.done(&["plan"]).await;
    assert_eq!(machines(&plan)[0], format!("start machine:{other}"), "{plan:?}");
    assert_eq!(machines(&plan).len(), 2, "{plan:?}");
    assert_eq!(later.done(&["deploy"]).await, plan);
    same().await;
    (facts().remove)(later.victims[1].clone()).await?;
    let plan = later.done(&["plan"]).await;
    assert_eq!(machines(&plan)[0], format!("create machine:{other}"), "{plan:?}");
    assert_eq!(machines(&plan).len(), 2, "{plan:?}");
    assert_eq!(later.done(&["deploy"]).await, plan);
    same().await;
    // Whose links another shares is not stopped alone.
    let halted = later.run(&["halt", &format!("machine:{other}")]).await;
    assert_eq!(halted.code, 3, "{halted:?}");
    let why = format!("`machine:{sharing}` shares its links, runs and is not selected");
    assert!(halted.errors.contains(&why), "{halted:?}");
    same().await;
    later.done(&["halt", &format!("machine:{other}"), &format!("machine:{sharing}")]).await;
    // With the one that is named, the other comes up.
    later.done(&["deploy", &format!("machine:{other}")]).await;
    same().await;
    Ok(())
}
