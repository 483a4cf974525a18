//! Keys of hosts.

use futures_util::FutureExt;

use crate::stage::{Case, Open, host_key};

pub(crate) fn cases() -> Vec<(&'static str, Case)> {
    vec![
        ("keys::pinned", |open| pinned(open).boxed_local()),
        ("keys::another_is_pinned", |open| another_is_pinned(open).boxed_local()),
        ("keys::none_is_known", |open| none_is_known(open).boxed_local()),
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
