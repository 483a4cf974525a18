//! Commands in a machine.

use std::time::Duration;

use carthage_runtime::ErrorKind;
use carthage_runtime::machine::engine::{Exec, Exit, TerminalSize};
use libtest_mimic::Failed;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};

use crate::support::{GRACE, Test, machine, on_a_site, run, shell};

pub(crate) fn tests() -> Vec<(&'static str, Test)> {
    vec![
        ("arguments_environment_directory_and_exit", plain),
        ("users_are_the_machines_own", users),
        ("ten_megabytes_each_way_and_fifty_at_once", much),
        ("dropping_a_command_kills_all_it_started", dropped),
        ("a_signal_reaches_the_command", signalled),
        ("a_terminal_has_a_size_and_echoes", terminal),
    ]
}

fn plain() -> Result<(), Failed> {
    on_a_site(async |site| {
        let one = machine("one", 1, &[]);
        site.up(&[&one]).await?;
        let exec = Exec {
            argv: ["printf", "%s|", "a b", "$HOME", "", "'\"\\"].map(Into::into).to_vec(),
            ..Exec::default()
        };
        assert_eq!(run(&*site.engine, &one, exec).await?, (Exit::Status(0), "a b|$HOME||'\"\\|".into()));
        let exec = Exec {
            cwd: Some("/usr/lib".into()),
            env: [("WORD".into(), "with = and spaces".into())].into(),
            ..shell("pwd; echo \"$WORD\"; echo $HOME $USER; echo also >&2; env | wc -l; exit 7")
        };
        let (exit, output) = run(&*site.engine, &one, exec).await?;
        assert_eq!((exit, exit.code()), (Exit::Status(7), 7));
        assert!(
            output.starts_with("/usr/lib\nwith = and spaces\n/root root\n") && output.ends_with("also\n"),
            "{output}"
        );
        assert_eq!(site.sh(&one, "kill -9 $$").await?.0, Exit::Signal(9));
        let missing = Exec { argv: vec!["no-such-program".into()], ..Exec::default() };
        let refused = site.engine.exec(&one, missing).await.unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::Command);
        assert!(refused.to_string().contains("no-such-program"), "{refused:?}");
        let lost = Exec { cwd: Some("/no/such/place".into()), ..shell("true") };
        assert!(site.engine.exec(&one, lost).await.unwrap_err().to_string().contains("/no/such/place"));
        let unknown = site.engine.exec(&machine("nobody", 9, &[]), shell("true")).await.unwrap_err();
        assert_eq!(unknown.kind(), ErrorKind::NotFound);
        site.down(&[&one]).await
    })
}

fn users() -> Result<(), Failed> {
    on_a_site(async |site| {
        let one = machine("one", 1, &[]);
        site.up(&[&one]).await?;
        site.sh_ok(
            &one,
            "echo 'lab:x:4711:4712::/srv:/bin/sh' >> /etc/passwd; echo 'more:x:4713:lab' >> /etc/group",
        )
        .await?;
        let as_lab = |user: &str| Exec {
            user: Some(user.into()),
            ..shell("id -u; id -G; pwd; echo $HOME $USER $LOGNAME")
        };
        let alone = site.engine.survey(&[]).await?.single_user.is_some();
        for user in ["lab", "4711"] {
            match run(&*site.engine, &one, as_lab(user)).await {
                Ok((_, output)) => {
                    assert_eq!((alone, output.as_str()), (false, "4711\n4712 4713\n/srv\n/srv lab lab\n"))
                }
                Err(_) if alone => {
                    let refused = site.engine.exec(&one, as_lab(user)).await.unwrap_err();
                    assert_eq!(refused.kind(), ErrorKind::Unsupported);
                    assert!(
                        refused.next_step().is_some_and(|hint| hint.contains("/etc/subuid")),
                        "{refused:?}"
                    );
                }
                Err(error) => return Err(error),
            }
        }
        let unknown = site.engine.exec(&one, as_lab("who")).await.unwrap_err();
        assert_eq!(unknown.to_string(), "there is no user `who`");
        site.down(&[&one]).await
    })
}

fn much() -> Result<(), Failed> {
    const MUCH: usize = 10 << 20;
    on_a_site(async |site| {
        let one = machine("one", 1, &[]);
        site.up(&[&one]).await?;
        let mut running = site.engine.exec(&one, Exec { stdin: true, ..shell("cat") }).await?;
        let mut stdin = running.stdin.take().unwrap();
        let sent: Vec<u8> = (0..MUCH).map(|index| (index / 7) as u8).collect();
        let writing = async {
            stdin.write_all(&sent).await?;
            drop(stdin);
            Ok::<_, std::io::Error>(())
        };
        let mut got = Vec::new();
        let (wrote, read) = tokio::join!(writing, running.stdout.read_to_end(&mut got));
        wrote?;
        read?;
        assert!(
            got == sent && running.control.wait().await?.success() && running.control.wait().await?.success()
        );

        let many = (0..50).map(|number| {
            let (engine, machine) = (site.engine.clone(), one.clone());
            tokio::spawn(async move {
                run(&*engine, &machine, shell(&format!("echo {number}")))
                    .await
                    .map_err(|error| format!("{error:?}"))
            })
        });
        for (number, task) in many.collect::<Vec<_>>().into_iter().enumerate() {
            assert_eq!(task.await?, Ok((Exit::Status(0), format!("{number}\n"))));
        }
        site.down(&[&one]).await
    })
}

fn dropped() -> Result<(), Failed> {
    on_a_site(async |site| {
        let one = machine("one", 1, &[]);
        site.up(&[&one]).await?;
        let script = "setsid sh -c 'sh -c \"sleep 4711 & sleep 4712\" & sleep 4713' & (sleep 4714 &) ; trap '' TERM; echo started; sleep 4715";
        let mut running = site.engine.exec(&one, shell(script)).await?;
        let mut line = String::new();
        BufReader::new(&mut running.stdout).read_line(&mut line).await?;
        assert_eq!(line, "started\n");
        let sleeping = "cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' ' ' | grep -o 'sleep 471[0-9]' | sort -u | wc -l";
        let deadline = tokio::time::Instant::now() + Duration::from_secs(10);
        while site.sh_ok(&one, sleeping).await?.trim() != "5" {
            assert!(tokio::time::Instant::now() < deadline, "not all of them run");
        }
        drop(running);
        while site.sh_ok(&one, &sleeping.replace("471[0-9]", "471[0-9] ")).await?.trim() != "0" {
            assert!(
                tokio::time::Instant::now() < deadline,
                "some are still there: {}",
                site.sh_ok(&one, "ps ax").await?
            );
        }
        // What a command that ended by itself has left behind is a daemon.
        site.sh_ok(&one, "setsid sleep 4720 >/dev/null 2>&1 & echo").await?;
        assert!(site.sh_ok(&one, "ps ax").await?.contains("sleep 4720"));
        site.down(&[&one]).await
    })
}

fn signalled() -> Result<(), Failed> {
    on_a_site(async |site| {
        let one = machine("one", 1, &[]);
        site.up(&[&one]).await?;
        let mut running = site
            .engine
            .exec(&one, shell("trap 'echo caught; exit 3' USR1; echo ready; while :; do sleep 0.05; done"))
            .await?;
        let mut output = BufReader::new(&mut running.stdout);
        let mut line = String::new();
        output.read_line(&mut line).await?;
        // A wait that is given up loses nothing.
        assert!(tokio::time::timeout(Duration::from_millis(50), running.control.wait()).await.is_err());
        running.control.signal(nix::libc::SIGUSR1).await?;
        output.read_line(&mut line).await?;
        assert_eq!(line, "ready\ncaught\n");
        assert_eq!(running.control.wait().await?, Exit::Status(3));
        running.control.signal(nix::libc::SIGUSR1).await?;

        let mut cut_off = site.engine.exec(&one, shell("trap '' TERM; sleep 1000")).await?;
        site.engine.stop(&one, Duration::from_millis(300)).await?;
        let told = cut_off.control.wait().await;
        assert!(told.as_ref().is_err_and(|error| error.to_string().contains("cut off")), "{told:?}");
        site.engine.stop(&one, GRACE).await?;
        site.down(&[&one]).await
    })
}

fn terminal() -> Result<(), Failed> {
    on_a_site(async |site| {
        let one = machine("one", 1, &[]);
        site.up(&[&one]).await?;
        let exec = Exec {
            terminal: Some(TerminalSize { rows: 33, columns: 111 }),
            ..shell("stty size; tty; echo ready; read line; stty size; echo got $line; read rest; exit 5")
        };
        let mut running = site.engine.exec(&one, exec).await?;
        let mut stdin = running.stdin.take().unwrap();
        let mut seen = String::new();
        let mut until = async |mark: &str| -> Result<String, Failed> {
            let mut buffer = [0; 1024];
            while !seen.contains(mark) {
                let count = running.stdout.read(&mut buffer).await?;
                if count == 0 {
                    return Err(format!("no {mark:?} in {seen:?}").into());
                }
                seen += std::str::from_utf8(&buffer[..count])?;
            }
            Ok(seen.clone())
        };
        let first = until("ready").await?;
        assert!(first.contains("33 111") && first.contains("/dev/pts/"), "{first:?}");
        running.control.resize(TerminalSize { rows: 44, columns: 222 }).await?;
        stdin.write_all(b"word\n").await?;
        until("44 222").await?;
        until("got word").await?;
        stdin.write_all(b"\x04").await?;
        assert_eq!(running.control.wait().await?, Exit::Status(5));
        while running.stdout.read(&mut [0; 1024]).await? > 0 {}
        site.down(&[&one]).await
    })
}
