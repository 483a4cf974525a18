//! A guest whose transport is this host's own shell.

use std::path::Path;
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::{Guest, Idle, Streams, Transport};
use crate::error::{Error, ErrorKind};
use crate::machine::engine::{Exec, Exit, FileKind, Running, ServiceSpec, ServiceState};

#[derive(Debug)]
struct Here;

#[async_trait]
impl Transport for Here {
    fn machine(&self) -> &'static str {
        "here"
    }

    async fn shell(&self, script: &str) -> Result<Streams, Error> {
        start(&["/bin/sh"], script)
    }
}

/// The same, with a place where shells wait; and which processes were shells, ever.
#[derive(Debug)]
struct Kept {
    program: &'static [&'static str],
    idle: Arc<Idle>,
    shells: Mutex<Vec<u32>>,
}

impl Kept {
    fn new(program: &'static [&'static str]) -> Arc<Self> {
        Arc::new(Self { program, idle: Arc::default(), shells: Mutex::default() })
    }

    /// How many were started, and how many of them run.
    fn count(&self) -> (usize, usize) {
        let shells = self.shells.lock().unwrap();
        (shells.len(), shells.iter().filter(|pid| Path::new(&format!("/proc/{pid}/root")).exists()).count())
    }
}

#[async_trait]
impl Transport for Kept {
    fn machine(&self) -> &'static str {
        "here"
    }

    async fn shell(&self, script: &str) -> Result<Streams, Error> {
        if super::runs_commands(script)
            && let Some(streams) = self.idle.take().await
        {
            return Ok(streams);
        }
        let streams = start(self.program, script)?;
        let home = super::runs_commands(script).then(|| {
            let child: &tokio::process::Child = streams.keep.downcast_ref().unwrap();
            self.shells.lock().unwrap().push(child.id().unwrap());
            Arc::clone(&self.idle)
        });
        Ok(Streams { home, ..streams })
    }
}

fn start(program: &[&str], script: &str) -> Result<Streams, Error> {
    let mut child = tokio::process::Command::new(program[0])
        .args(&program[1..])
        .args(["-c", script])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(Error::host("no shell"))?;
    let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    Ok(Streams {
        stdin: Box::new(stdin.unwrap()),
        stdout: Box::new(stdout.unwrap()),
        stderr: Box::new(stderr.unwrap()),
        keep: Box::new(child),
        home: None,
    })
}

/// The shells of this host.
fn programs() -> impl Iterator<Item = &'static [&'static str]> {
    let all: [&[&str]; 4] = [&["/bin/sh"], &["/bin/dash"], &["/bin/bash"], &["/bin/busybox", "sh"]];
    all.into_iter().filter(|program| Path::new(program[0]).exists())
}

fn guest(base: &Path) -> Guest {
    Guest::new(Arc::new(Here), base)
}

fn sh(script: &str) -> Exec {
    Exec { argv: ["sh", "-c", script].map(Into::into).into(), ..Exec::default() }
}

async fn ended(mut running: Running) -> (Exit, Vec<u8>, String) {
    let (mut out, mut err) = (Vec::new(), String::new());
    let (read, also) =
        tokio::join!(running.stdout.read_to_end(&mut out), running.stderr.read_to_string(&mut err));
    read.unwrap();
    also.unwrap();
    (running.control.wait().await.unwrap(), out, err)
}

async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let waiting = async {
        while !is_so().await {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    assert!(tokio::time::timeout(Duration::from_secs(20), waiting).await.is_ok(), "{what}");
}

#[tokio::test]
async fn commands() {
    let here = guest(Path::new("/nonexistent"));
    let odd = ["", "a b", "it's\n", "$HOME", "\\", "-n", "\u{fc}"];
    let argv = ["printf", "%s|"].iter().chain(&odd).map(Into::into).collect();
    let (exit, out, err) = ended(here.exec(Exec { argv, ..Exec::default() }).await.unwrap()).await;
    assert_eq!((exit, err.as_str()), (Exit::Status(0), ""));
    assert_eq!(String::from_utf8(out).unwrap(), odd.map(|word| format!("{word}|")).concat());
    let (exit, out, err) = ended(here.exec(sh("echo out; echo err >&2; exit 3")).await.unwrap()).await;
    assert_eq!((exit, out.as_slice(), err.as_str()), (Exit::Status(3), &b"out\n"[..], "err\n"));
    assert_eq!(ended(here.exec(sh("kill -USR1 $$")).await.unwrap()).await.0, Exit::Signal(10));
    let placed = Exec {
        env: [("WORD".into(), "a\n'b'".into())].into(),
        cwd: Some("/usr/bin".into()),
        ..sh("printf '%s %s' \"$PWD\" \"$WORD\"")
    };
    assert_eq!(ended(here.exec(placed).await.unwrap()).await.1, b"/usr/bin a\n'b'");
    let mut cat = here.exec(Exec { stdin: true, ..sh("cat") }).await.unwrap();
    let sent: Vec<u8> = (0..300_000_u32).map(|n| (n % 251) as u8).collect();
    let mut stdin = cat.stdin.take().unwrap();
    let writing = async {
        let wrote = stdin.write_all(&sent).await;
        drop(stdin);
        wrote
    };
    let (wrote, (exit, got, _)) = tokio::join!(writing, ended(cat));
    wrote.unwrap();
    assert!(exit.success() && got == sent);
}

#[tokio::test]
async fn what_cannot_be_run_says_why() {
    let here = guest(Path::new("/nonexistent"));
    let run = async |exec| here.exec(exec).await.map(drop).unwrap_err();
    let program = |name: &str| Exec { argv: vec![name.into()], ..Exec::default() };
    let missing = run(program("no-such-program")).await;
    assert_eq!(missing.kind(), ErrorKind::Command);
    assert!(missing.next_step().unwrap().contains("installed in the machine"), "{missing:?}");
    assert!(format!("{:?}", run(program("/etc/passwd")).await).contains("Permission denied"));
    let lost = run(Exec { cwd: Some("/no/such/place".into()), ..sh("true") }).await;
    assert!(format!("{lost:?}").contains("/no/such/place"), "{lost:?}");
    let nobody = run(Exec { user: Some("no-such-user".into()), ..sh("true") }).await;
    assert_eq!(nobody.kind(), ErrorKind::NotFound, "{nobody:?}");
    assert_eq!(run(Exec::default()).await.kind(), ErrorKind::Usage);
}

#[tokio::test]
async fn what_is_given_up_is_killed_with_all_that_it_started() {
    let here = guest(Path::new("/nonexistent"));
    // Told apart from those of another run of this test.
    let time = 1_000_000 + std::process::id();
    let script = format!("setsid sleep {time} & (sleep {time} &); trap '' TERM; sleep {time}");
    let running = here.exec(sh(&script)).await.unwrap();
    let count = || {
        let commands = std::fs::read_dir("/proc").unwrap().flatten();
        let text = commands.map(|entry| std::fs::read(entry.path().join("cmdline")).unwrap_or_default());
        text.filter(|text| *text == format!("sleep\0{time}\0").into_bytes()).count()
    };
    until("they run", async || count() == 3).await;
    drop(running);
    until("they are gone", async || count() == 0).await;
    // What a command that has ended left behind lives on.
    let (exit, out, _) = ended(here.exec(sh("sleep 7312 >&1 & echo $!")).await.unwrap()).await;
    assert!(exit.success());
    let left: i32 = String::from_utf8(out).unwrap().trim().parse().unwrap();
    assert!(Path::new(&format!("/proc/{left}")).exists());
    nix::sys::signal::kill(nix::unistd::Pid::from_raw(left), nix::sys::signal::SIGKILL).unwrap();
}

#[tokio::test]
async fn a_shell_runs_one_command_after_the_other() {
    for program in programs() {
        let kept = Kept::new(program);
        let here = Guest::new(kept.clone(), "/nonexistent");
        for number in 0..20 {
            let placed =
                Exec { env: [("WORD".into(), "a".into())].into(), cwd: Some("/usr".into()), ..sh("") };
            let script = format!("echo {number} $WORD $PWD; echo err >&2; exit {number}");
            let exec = if number % 2 == 0 { Exec { argv: sh(&script).argv, ..placed } } else { sh(&script) };
            let (exit, out, err) = ended(here.exec(exec).await.unwrap()).await;
            assert_eq!((exit, err.as_str()), (Exit::Status(number), "err\n"), "{program:?}");
            let out = String::from_utf8(out).unwrap();
            assert_eq!(out.starts_with(&format!("{number} a /usr")), number % 2 == 0, "{program:?}: {out}");
        }
        let killed = ended(here.exec(sh("kill -KILL $$")).await.unwrap()).await.0;
        assert_eq!(killed, Exit::Signal(9), "{program:?}");
        // A slow host may not be back in time once in a while.
        assert!(kept.count().0 <= 3, "{program:?}: {:?}", kept.count());
        let ten = (0..10).map(|n| {
            let here = here.clone();
            async move { ended(here.exec(sh(&format!("echo {n}"))).await.unwrap()).await.1 }
        });
        let ten = futures_util::future::join_all(ten).await;
        assert_eq!(ten, (0..10).map(|n| format!("{n}\n").into_bytes()).collect::<Vec<_>>(), "{program:?}");
        let (missing, fine) = (Exec { argv: vec!["no-such".into()], ..Exec::default() }, sh("true"));
        assert_eq!(here.exec(missing).await.map(drop).unwrap_err().kind(), ErrorKind::Command);
        assert!(ended(here.exec(fine).await.unwrap()).await.0.success());
        until("none waits for ever", async || kept.count().1 == 0).await;
    }
}

/// What is left running keeps its outputs for itself, and no shell.
#[tokio::test]
async fn late_words_are_not_the_next_command_s() {
    for program in programs() {
        let kept = Kept::new(program);
        let here = Guest::new(kept.clone(), "/nonexistent");
        let dir = tempfile::tempdir().unwrap();
        let (go, said) = (dir.path().join("go"), dir.path().join("said"));
        let (go, said) = (go.to_str().unwrap(), said.to_str().unwrap());
        let script = format!(
            "(trap '' PIPE; until [ -e {go} ]; do sleep 0.05; done; echo late; echo late >&2; : >{said}; exec sleep 7313) & echo $!"
        );
        let (exit, out, _) = ended(here.exec(sh(&script)).await.unwrap()).await;
        assert!(exit.success());
        let left: i32 = String::from_utf8(out).unwrap().trim().parse().unwrap();
        for number in 0..5 {
            if number == 2 {
                std::fs::write(go, "").unwrap();
                until("it speaks", async || Path::new(said).exists()).await;
            }
            let (_, out, err) = ended(here.exec(sh("echo mine")).await.unwrap()).await;
            assert_eq!((out.as_slice(), err.as_str()), (&b"mine\n"[..], ""), "{program:?}");
        }
        assert!(Path::new(&format!("/proc/{left}")).exists(), "{program:?}");
        until("no shell is left", async || kept.count().1 == 0).await;
        nix::sys::signal::kill(nix::unistd::Pid::from_raw(left), nix::sys::signal::SIGKILL).unwrap();
    }
}

/// One that is given up ends with its command, also when others have run in it before.
#[tokio::test]
async fn a_shell_is_not_used_after_a_command_that_was_given_up() {
    for program in programs() {
        let kept = Kept::new(program);
        let here = Guest::new(kept.clone(), "/nonexistent");
        assert!(ended(here.exec(sh("true")).await.unwrap()).await.0.success());
        let time = 2_000_000 + std::process::id();
        let running = here.exec(sh(&format!("sleep {time} & sleep {time}"))).await.unwrap();
        drop(running);
        let text = format!("sleep\0{time}\0").into_bytes();
        let runs = || {
            let commands = std::fs::read_dir("/proc").unwrap().flatten();
            commands
                .filter(|entry| std::fs::read(entry.path().join("cmdline")).is_ok_and(|read| read == text))
                .count()
        };
        until("it is killed", async || runs() == 0).await;
        assert_eq!(ended(here.exec(sh("echo next")).await.unwrap()).await.1, b"next\n", "{program:?}");
        until("no shell is left", async || kept.count().1 == 0).await;
    }
}

#[tokio::test]
async fn files() {
    let dir = tempfile::tempdir().unwrap();
    let here = guest(&dir.path().join("ours"));
    let path = dir.path().join("a b/c's");
    assert_eq!(here.stat(&path).await.unwrap(), None);
    for size in [0, 1, 3_000_000] {
        let contents: Vec<u8> = (0..size).map(|n: u32| (n.wrapping_mul(2_654_435_761) >> 9) as u8).collect();
        here.write(&path, Some(0o640), Box::new(std::io::Cursor::new(contents.clone()))).await.unwrap();
        let stat = here.stat(&path).await.unwrap().unwrap();
        assert_eq!((stat.kind, stat.len, stat.mode), (FileKind::File, u64::from(size), 0o640));
        let mut read = Vec::new();
        here.read(&path).await.unwrap().read_to_end(&mut read).await.unwrap();
        assert!(read == contents, "{size}");
    }
    here.write(&path, None, Box::new(&b"x"[..])).await.unwrap();
    assert_eq!(here.stat(&path).await.unwrap().unwrap().mode, 0o640, "the old one's");
    assert_eq!(here.read_dir(path.parent().unwrap()).await.unwrap(), ["c's"]);
    let error = |path: &Path| {
        let (here, path) = (here.clone(), path.to_owned());
        async move { format!("{:?}", here.write(&path, None, Box::new(&b"x"[..])).await.unwrap_err()) }
    };
    assert!(error(dir.path()).await.contains("Is a directory"));
    assert!(error(&path.join("below")).await.contains("c's/below"));
    assert!(error(Path::new("/proc/nothing")).await.contains("/proc/nothing"));
    let missing = here.read(&dir.path().join("nothing")).await.map(drop).unwrap_err();
    assert_eq!(missing.kind(), ErrorKind::NotFound);
    here.make_dir(&dir.path().join("d/e"), Some(0o700)).await.unwrap();
    here.remove_path(&dir.path().join("d")).await.unwrap();
    here.remove_path(&dir.path().join("d")).await.unwrap();
    assert_eq!(here.read_dir(dir.path()).await.unwrap(), ["a b"]);
}

#[tokio::test]
async fn services() {
    let dir = tempfile::tempdir().unwrap();
    let here = guest(&dir.path().join("carthage/x"));
    let service = |name: &str, script: &str| ServiceSpec { name: name.into(), exec: sh(script) };
    let state = async |name: &str| {
        let all = here.services().await.unwrap();
        all.into_iter().find(|service| service.name == name).map(|service| service.state)
    };
    let log = |name: &str| {
        std::fs::read_to_string(Guest::service_log(&dir.path().join("carthage/x"), name)).unwrap()
    };
    here.start_service(&service("it", "echo $$; umask; exec sleep 7320")).await.unwrap();
    let Some(ServiceState::Running(pid)) = state("it").await else { panic!("it does not run") };
    until("it wrote", async || log("it") == format!("{pid}\n0022\n")).await;
    for (name, script, exit) in
        [("fails", "exit 3", Exit::Status(3)), ("killed", "kill -KILL $$", Exit::Signal(9))]
    {
        here.start_service(&service(name, script)).await.unwrap();
        until("its end is told", async || state(name).await == Some(ServiceState::Ended(exit))).await;
    }
    let exec = Exec { argv: vec!["/no/such".into()], ..Exec::default() };
    let refused = here.start_service(&ServiceSpec { name: "missing".into(), exec }).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Command);
    assert_eq!(state("missing").await, None);
    assert!(here.start_service(&service("../up", "true")).await.is_err());
    nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid.cast_signed()), nix::sys::signal::SIGKILL).unwrap();
    until("its end is told", async || state("it").await == Some(ServiceState::Ended(Exit::Signal(9)))).await;
    here.resume_services().await.unwrap();
    assert!(matches!(state("it").await, Some(ServiceState::Running(_))));
    here.remove_service("it").await.unwrap();
    here.remove_service("it").await.unwrap();
    assert_eq!(state("it").await, None);
    here.forget().await.unwrap();
    assert!(!dir.path().join("carthage").exists());
}
