//! The ways to a machine: through others, and from inside the networks of others.

use futures_util::FutureExt;

use crate::stage::{CONFIG, Case, Open, host_key};

pub(crate) fn cases() -> Vec<(&'static str, Case)> {
    vec![
        ("ways::through_a_machine", |open| through_a_machine(open).boxed_local()),
        ("ways::through_a_host", |open| through_a_host(open).boxed_local()),
        ("ways::to_the_same_address", |open| to_the_same_address(open).boxed_local()),
        ("ways::nobody_is_there", |open| nobody_is_there(open).boxed_local()),
    ]
}

async fn through_a_machine(open: &mut Open) -> carthage::Result<()> {
    for name in ["deep", "deep-both"] {
        let deep = open.machine(name).await?;
        assert_eq!(deep.run(["hostname"]).await?.text(), "deep-host");
        deep.write("/root/note", "deep").await?;
        assert_eq!(deep.read_to_string("/root/note").await?, "deep");
        assert!(open.known("bastion")?.run(["hostname"]).await?.text() == "bastion-host", "it came first");
    }
    Ok(())
}

async fn through_a_host(open: &mut Open) -> carthage::Result<()> {
    let bastion = open.machine("bastion").await?;
    let settings = std::env::var(CONFIG)?;
    let known = format!("{settings}.known");
    let key = open.state().join("ssh/key");
    std::fs::write(&known, format!("10.74.0.5 {}\n", host_key(&bastion).await?))?;
    let text = format!("Host 10.74.0.5\n  UserKnownHostsFile {known}\n  IdentityFile {}\n", key.display());
    std::fs::write(&settings, text)?;
    let deep = open.machine("deep-by-name").await?;
    assert_eq!(deep.run(["hostname"]).await?.text(), "deep-host");
    // A jump host whose key nobody knows is not gone through.
    let trusted = std::fs::read(&known)?;
    std::fs::write(&known, "")?;
    open.reopen().await?;
    let said = open.known("deep-by-name")?.presence().await;
    let said = format!("{said:?}");
    for words in ["cannot be reached by way of `root@10.74.0.5:22`", "Host key verification failed"] {
        assert!(said.contains(words), "{words}: {said}");
    }
    std::fs::write(&known, trusted)?;
    Ok(())
}

async fn to_the_same_address(open: &mut Open) -> carthage::Result<()> {
    let (one, twin) = (open.machine("learned").await?, open.machine("learned-twin").await?);
    for _ in 0..3 {
        assert_eq!(one.run(["hostname"]).await?.text(), "plain-host");
        assert_eq!(twin.run(["hostname"]).await?.text(), "twin-host");
    }
    Ok(())
}

async fn nobody_is_there(open: &mut Open) -> carthage::Result<()> {
    let begun = std::time::Instant::now();
    let said = open.failure("dead").await?;
    let took = begun.elapsed();
    assert!(said.contains("`dead` (10.74.0.99 port 22) did not answer"), "{said}");
    assert!(said.contains("the last attempt: connect to host 10.74.0.99 port 22"), "{said}");
    assert!(took < std::time::Duration::from_secs(30), "{took:?}");
    Ok(())
}
