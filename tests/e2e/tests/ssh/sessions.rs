//! Sessions: as many as the server allows, terminals, files without a file channel, ports.

use std::time::Duration;

use carthage::machine::engine::{Exec, TerminalSize};
use futures_util::FutureExt;
use futures_util::future::try_join_all;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::stage::{Case, Open, words};

pub(crate) fn cases() -> Vec<(&'static str, Case)> {
    vec![
        ("sessions::no_more_than_allowed", |open| no_more_than_allowed(open).boxed_local()),
        ("sessions::on_a_terminal", |open| on_a_terminal(open).boxed_local()),
        ("sessions::connections_from_inside", |open| connections_from_inside(open).boxed_local()),
    ]
}

async fn no_more_than_allowed(open: &mut Open) -> carthage::Result<()> {
    for name in ["one", "three"] {
        let machine = open.machine(name).await?;
        let all = (0..30).map(|number| {
            let machine = machine.clone();
            async move {
                let path = format!("/root/at-once/{number}");
                machine.write(&path, number.to_string()).await?;
                let text = machine.run(["cat", &path]).await?.text();
                let read = machine.read_to_string(&path).await?;
                Ok::<_, carthage::BoxError>((text, read))
            }
        });
        let all = tokio::time::timeout(Duration::from_secs(120), try_join_all(all)).await??;
        for (number, (text, read)) in all.into_iter().enumerate() {
            assert_eq!((text, read), (number.to_string(), number.to_string()), "{name}");
        }
        assert_eq!(machine.read_dir("/root/at-once").await?.len(), 30);
    }
    Ok(())
}

async fn on_a_terminal(open: &mut Open) -> carthage::Result<()> {
    let machine = open.machine("pinned").await?;
    let hidden = format!("{:032x}", fastrand::u128(..));
    let script =
        "tty >/dev/null && stty size; echo ${#WORD}; read line; stty size; echo \"got $line\"; exit 7";
    let mut running = machine
        .exec(Exec {
            argv: words(&["sh", "-c", script]),
            env: [("WORD".into(), hidden.clone().into())].into(),
            terminal: Some(TerminalSize { rows: 31, columns: 97 }),
            ..Exec::default()
        })
        .await?;
    let mut seen = String::new();
    let mut buffer = [0; 1024];
    while !seen.contains("32\r\n") {
        let read = tokio::time::timeout(Duration::from_secs(30), running.stdout.read(&mut buffer)).await;
        let read = read.map_err(|_| format!("it has written {seen:?}"))??;
        assert!(read > 0, "{seen}");
        seen += &String::from_utf8_lossy(&buffer[..read]);
    }
    assert!(seen.contains("31 97"), "{seen}");
    for entry in std::fs::read_dir("/proc")?.flatten() {
        // Some will have ended when they are looked at.
        let arguments = std::fs::read(entry.path().join("cmdline")).unwrap_or_default();
        assert!(!String::from_utf8_lossy(&arguments).contains(&hidden), "{:?}", entry.path());
    }
    running.control.resize(TerminalSize { rows: 20, columns: 50 }).await?;
    // It is passed on by a signal, which takes its time.
    let resized = async {
        loop {
            let size = machine.run(["sh", "-c", "for t in /dev/pts/[0-9]*; do stty -F $t size; done"]).await;
            if size.is_ok_and(|size| size.text().contains("20 50")) {
                break;
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(30), resized).await?;
    running.stdin.as_mut().ok_or("no input")?.write_all(b"word\n").await?;
    running.stdout.read_to_string(&mut seen).await?;
    assert!(seen.contains("20 50") && seen.contains("got word"), "{seen}");
    assert_eq!(running.control.wait().await?.code(), 7);
    let left = machine.run(["sh", "-c", "ls /var/lib/carthage/*/ 2>/dev/null | grep terminal; true"]).await?;
    assert_eq!(left.text(), "", "its script is gone");
    Ok(())
}

async fn connections_from_inside(open: &mut Open) -> carthage::Result<()> {
    let machine = open.machine("pinned").await?;
    let mut stream = machine.dial("127.0.0.1:22".parse()?).await?.ok_or("nobody listens")?;
    let mut greeting = [0; 4];
    stream.read_exact(&mut greeting).await?;
    assert_eq!(&greeting, b"SSH-");
    assert!(machine.dial("127.0.0.1:9".parse()?).await?.is_none());
    assert!(machine.port_open(22).await? && !machine.port_open(9).await?);
    Ok(())
}
