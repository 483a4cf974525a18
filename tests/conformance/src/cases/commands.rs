//! Commands.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::time::{Duration, Instant};

use carthage::ErrorKind;
use carthage::machine::engine::Exit;
use futures_util::future::try_join_all;

use super::{Case, cases, end, how_many, mark, refused};
use crate::ground::{Ground, until};
use crate::subject::facts;

pub(super) fn cases() -> Vec<Case> {
    cases![open commands: every_argument_as_it_is, as_somebody_somewhere, input, much_output, how_it_ended, too_late, daemons_left_behind, dropped, fifty_at_once, what_cannot_be_run [FileTree]]
}

async fn every_argument_as_it_is(ground: Ground) -> carthage::Result<()> {
    let odd = [
        "", " ", "  two  ", "'", "\"", "`id`", "$HOME", "$(id)", "a\nb", "tab\t", "ünï→", "-n", "--", "*",
        "~", "\\", "#", ";", "&&", "|", "%s",
    ];
    let mut argv: Vec<OsString> = ["printf", "%s\\0"].map(Into::into).into();
    argv.extend(odd.map(Into::into));
    argv.push(OsString::from_vec(vec![b'x', 0xff, 0xfe]));
    let written = ground.one.run(argv).await?.stdout;
    let mut expected: Vec<u8> = odd.iter().flat_map(|word| [word.as_bytes(), b"\0"].concat()).collect();
    expected.extend([b'x', 0xff, 0xfe, 0]);
    assert_eq!(written, expected);
    Ok(())
}

async fn as_somebody_somewhere(ground: Ground) -> carthage::Result<()> {
    let one = &ground.one;
    let user = &facts().user;
    assert_eq!(one.run(["id", "-un"]).await?.text(), *user);
    let passwd = one.run(["cat", "/etc/passwd"]).await?.text();
    let entry = |name: &str| {
        let found = passwd.lines().find(|line| line.split(':').next() == Some(name));
        found.map(|line| line.split(':').map(str::to_owned).collect::<Vec<_>>())
    };
    let home = entry(user).unwrap()[5].clone();
    assert_eq!(
        one.command(["sh", "-c", "pwd; echo $HOME; echo $USER"]).run().await?.text(),
        format!("{home}\n{home}\n{user}")
    );
    assert_eq!(one.command(["pwd"]).cwd("/usr/bin").run().await?.text(), "/usr/bin");
    let odd = "a b\n$c='d'";
    assert_eq!(
        one.command(["sh", "-c", "printf %s \"$ODD\""]).env("ODD", odd).run().await?.stdout,
        odd.as_bytes()
    );
    let path = one.command(["sh", "-c", "echo $PATH"]).run().await?.text();
    assert!(path.split(':').any(|dir| dir == "/usr/bin"), "{path}");
    // Nothing of this process's environment.
    let own = [
        "PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "PWD", "OLDPWD", "SHLVL", "TERM", "HOSTNAME", "_",
    ];
    let names = one.run(["env"]).await?.text();
    let names = names.lines().filter_map(|line| line.split_once('=')).map(|(name, _)| name);
    let strange: Vec<_> = names
        .filter(|name| !own.contains(name) && !name.starts_with("SSH_") && std::env::var_os(name).is_some())
        .collect();
    assert_eq!(strange, Vec::<&str>::new(), "they come from the controller");
    // Another user, where the machine has more than one.
    let other = ["daemon", "nobody"].into_iter().find_map(entry);
    let other = other.ok_or("the suite needs a second user in /etc/passwd: `daemon` or `nobody`")?;
    for named in [&other[0], &other[2]] {
        let script = "id -un; touch \"$1\"/refused 2>/dev/null || echo refused";
        match one.command(["sh", "-c", script, "sh", &home]).user(named).run().await {
            Ok(output) => assert_eq!(output.text(), format!("{}\nrefused", other[0])),
            Err(error) => {
                let said = refused::<()>(Err(error), ErrorKind::Unsupported);
                let all = user == "root" && rustix::process::geteuid().is_root();
                assert!(!all, "root has all users: {said}");
            }
        }
    }
    Ok(())
}

async fn input(ground: Ground) -> carthage::Result<()> {
    let one = &ground.one;
    assert_eq!(one.command(["cat"]).stdin("häl\0lo").run().await?.stdout, "häl\0lo".as_bytes());
    assert_eq!(one.command(["cat"]).run().await?.stdout, b"", "without input there is none");
    let much: Vec<u8> = (0..5_000_000_u32).map(|n| (n % 251) as u8).collect();
    assert_eq!(one.command(["cat"]).stdin(much.clone()).run().await?.stdout, much, "both ways at once");
    one.command(["head", "-c", "1"]).stdin(much).run().await?;
    Ok(())
}

async fn much_output(ground: Ground) -> carthage::Result<()> {
    let script = "yes out | head -c 10000000; yes err | head -c 10000000 >&2";
    let output = ground.one.run(["sh", "-c", script]).await?;
    assert_eq!((output.stdout.len(), output.stderr.len()), (10_000_000, 10_000_000));
    assert!(output.stdout.starts_with(b"out\nout\n") && output.stderr.starts_with(b"err\nerr\n"));
    Ok(())
}

async fn how_it_ended(ground: Ground) -> carthage::Result<()> {
    let one = &ground.one;
    for status in [0, 1, 42, 255] {
        let output = one.command(["sh", "-c", &format!("exit {status}")]).output().await?;
        assert_eq!(output.exit, Exit::Status(status));
    }
    let killed = one.command(["sh", "-c", "kill -USR1 $$"]).output().await?;
    assert_eq!(killed.exit.code(), 128 + 10, "{:?}", killed.exit);
    assert_eq!(String::from_utf8_lossy(&killed.stderr), "", "whoever ran it says nothing in its place");
    let said = refused(
        one.run(["sh", "-c", "echo the end is near; echo all is lost >&2; exit 3"]).await,
        ErrorKind::Command,
    );
    for word in [one.name(), "exit status 3", "all is lost", "the end is near"] {
        assert!(said.contains(word), "{word}: {said}");
    }
    Ok(())
}

async fn too_late(ground: Ground) -> carthage::Result<()> {
    let one = &ground.one;
    let begun = Instant::now();
    let mark = mark();
    let script = format!("setsid sleep {mark} & (sleep {mark} &) ; trap '' TERM INT HUP; sleep {mark}");
    let late = one.command(["sh", "-c", &script]).timeout(Duration::from_millis(500)).output().await;
    let said = refused(late, ErrorKind::Timeout);
    assert!(said.contains("500ms") && begun.elapsed() < Duration::from_secs(60), "{said}");
    until("all of it is gone", || async { how_many(one, &mark).await.unwrap() == 0 }).await;
    Ok(())
}

async fn daemons_left_behind(ground: Ground) -> carthage::Result<()> {
    let one = &ground.one;
    let begun = Instant::now();
    // It holds all three streams open, and reads nothing.
    let mark = mark();
    let script = format!("exec 3<&0; sleep {mark} <&3 & echo up; echo and running >&2");
    let output = one.command(["sh", "-c", &script]).stdin(vec![b'x'; 1_000_000]).run().await?;
    assert_eq!((output.text().as_str(), output.stderr.as_slice()), ("up", &b"and running\n"[..]));
    assert!(begun.elapsed() < Duration::from_secs(60), "{:?}", begun.elapsed());
    assert_eq!(how_many(one, &mark).await?, 1, "what it left behind lives on");
    end(one, &mark).await
}

async fn dropped(ground: Ground) -> carthage::Result<()> {
    let one = &ground.one;
    let mark = mark();
    let running = tokio::spawn({
        let one = one.clone();
        let script = format!("setsid sleep {mark} & sleep {mark} & wait");
        async move { one.run(["sh", "-c", &script]).await.map(drop).is_ok() }
    });
    until("it runs", || async { how_many(one, &mark).await.unwrap() == 2 }).await;
    running.abort();
    until("it is gone", || async { how_many(one, &mark).await.unwrap() == 0 }).await;
    Ok(())
}

async fn fifty_at_once(ground: Ground) -> carthage::Result<()> {
    let one = &ground.one;
    let runs = (0..50).map(|number| async move {
        let script = format!("echo {number}; sleep 0.{}; cat", number % 5);
        let output = one.command(["sh", "-c", &script]).stdin(number.to_string()).run().await?;
        Ok::<_, carthage::BoxError>(output.text())
    });
    let texts = try_join_all(runs).await?;
    for (number, text) in texts.iter().enumerate() {
        assert_eq!(*text, format!("{number}\n{number}"));
    }
    Ok(())
}

async fn what_cannot_be_run(ground: Ground) -> carthage::Result<()> {
    let one = &ground.one;
    let said = refused(one.run(["no-such-program"]).await, ErrorKind::Command);
    assert!(said.contains("no-such-program"), "{said}");
    one.write_with_mode(ground.path("plain"), 0o644, "no program").await?;
    let said = refused(one.run([ground.path("plain")]).await, ErrorKind::Command);
    assert!(said.contains("ermission denied"), "{said}");
    let said = refused(one.command(["true"]).cwd("/no/such/directory").run().await, ErrorKind::Command);
    assert!(said.contains("/no/such/directory"), "{said}");
    let unknown = one.command(["true"]).user("nosuchuser").run().await.unwrap_err().to_string();
    assert!(unknown.contains("nosuchuser"), "{unknown}");
    assert!(one.run(Vec::<OsString>::new()).await.is_err());
    Ok(())
}
