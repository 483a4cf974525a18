//! Keys of hosts.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use carthage::deploy::{Action, Selection};
use futures_util::FutureExt;

use crate::stage::{Case, Open, host_key};

pub(crate) fn cases() -> Vec<(&'static str, Case)> {
    vec![
        ("keys::pinned", |open| pinned(open).boxed_local()),
        ("keys::another_is_pinned", |open| another_is_pinned(open).boxed_local()),
        ("keys::none_is_known", |open| none_is_known(open).boxed_local()),
        ("keys::who_only_looks_writes_nothing", |open| who_only_looks_writes_nothing(open).boxed_local()),
        ("keys::learned_and_changed", |open| learned_and_changed(open).boxed_local()),
    ]
}

async fn pinned(open: &mut Open) -> carthage::Result<()> {
    let machine = open.machine("pinned").await?;
    assert_eq!(machine.run(["echo", "up"]).await?.text(), "up");
    assert!(!open.state().join("ssh/known_hosts/pinned").exists(), "what is pinned is not learned");
    // A later run finds it as it was left.
    open.reopen().await?;
    let plan = open
        .deployment()
        .plan(&"machine:pinned".parse::<carthage::deploy::Pattern>().map(|pattern| {
            carthage::deploy::Selection { include: vec![pattern], ..carthage::deploy::Selection::all() }
        })?)
        .await?;
    assert!(plan.steps.is_empty(), "{plan:?}");
    Ok(())
}

async fn another_is_pinned(open: &mut Open) -> carthage::Result<()> {
    let said = open.failure("mistaken").await?;
    for words in ["shows another host key than it must", "SHA256:", "and must show", "ssh_host_key = "] {
        assert!(said.contains(words), "{words}: {said}");
    }
    Ok(())
}

async fn none_is_known(open: &mut Open) -> carthage::Result<()> {
    let said = open.failure("unknown").await?;
    let host = open.known("plain-host")?;
    host.run(["sh", "-c", "ssh-keygen -y -f /etc/carthage-sshd/key >/etc/carthage-sshd/key.pub"]).await?;
    let fingerprint = host.run(["ssh-keygen", "-lf", "/etc/carthage-sshd/key.pub"]).await?.text();
    let fingerprint = fingerprint.split(' ').nth(1).ok_or("no fingerprint")?.to_owned();
    // What is quoted is what is to be written.
    let argument = format!("ssh_host_key = \\\"{}\\\"", host_key(&host).await?);
    for words in ["shows a host key that is not known", &fingerprint, &argument] {
        assert!(said.contains(words), "{words}: {said}");
    }
    assert!(!open.state().join("ssh/known_hosts/unknown").exists(), "it must not be learned");
    Ok(())
}

/// A key that is not known yet is learned by who changes something; who only looks has it for as long as that takes.
async fn who_only_looks_writes_nothing(open: &mut Open) -> carthage::Result<()> {
    assert!(open.deploy(&["twin-host"]).await?.is_complete());
    open.look().await?;
    let before = tree(&open.state());
    for _ in 0..2 {
        let plan = open.deployment().plan(&Selection::all()).await?;
        let step = plan.steps.iter().find(|step| step.thing == "machine:learned-twin");
        // It was asked, and let us in.
        assert!(step.is_some_and(|step| step.action == Action::Adopt), "{plan:?}");
    }
    let after = tree(&open.state());
    let differs = before.keys().chain(after.keys()).filter(|path| before.get(*path) != after.get(*path));
    assert_eq!(differs.collect::<Vec<_>>(), [""; 0].map(Path::new));
    open.reopen().await
}

/// All files of a directory, with what is in them, but for logs: machines write to these.
fn tree(of: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut all = BTreeMap::new();
    for entry in std::fs::read_dir(of).unwrap() {
        let path = entry.unwrap().path();
        let kind = path.symlink_metadata().unwrap().file_type();
        if kind.is_dir() && path.file_name() != Some("log".as_ref()) {
            all.extend(tree(&path));
            all.insert(path, Vec::new());
        } else if kind.is_file() {
            let contents = std::fs::read(&path).unwrap();
            all.insert(path, contents);
        }
    }
    all
}

async fn learned_and_changed(open: &mut Open) -> carthage::Result<()> {
    open.machine("learned-twin").await?.run(["true"]).await?;
    let host = open.known("twin-host")?;
    let known = open.state().join("ssh/known_hosts/learned-twin");
    assert_eq!(std::fs::read_to_string(&known)?, format!("learned-twin {}\n", host_key(&host).await?));
    let change = "cd /etc/carthage-sshd && mv key old && mv key.pub old.pub && ssh-keygen -q -t ed25519 -N '' -f key && \
                  kill -HUP $(cat pid)";
    host.run(["sh", "-c", change]).await?;
    host.wait_for_port(22, std::time::Duration::from_secs(30)).await?;
    open.reopen().await?;
    let refused = open.deploy(&["learned-twin"]).await;
    let said = format!("{refused:?}");
    for words in
        ["shows another host key than it must", "somebody may be listening in", "known_hosts/learned-twin"]
    {
        assert!(said.contains(words), "{words}: {said}");
    }
    // The old one again, and all is well.
    host.run([
        "sh",
        "-c",
        "cd /etc/carthage-sshd && mv old key && mv old.pub key.pub && kill -HUP $(cat pid)",
    ])
    .await?;
    host.wait_for_port(22, std::time::Duration::from_secs(30)).await?;
    open.reopen().await?;
    open.machine("learned-twin").await?.run(["true"]).await?;
    Ok(())
}
