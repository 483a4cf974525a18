//! Blocks on a temporary directory, by the shells of this host.

mod managers;
mod openrc;
mod systemd;
mod tree;

use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;
use std::process::{Command, Stdio};
use std::{fs, io::Write};

use super::script::{CHANGE, LOOK, Op, Probe, answer, done, joined, orders, question};
use super::*;
use crate::inject::Secret;

const ID: &str = "0123456789abcdef0123456789abcdef";

/// The shells of this host; a host has one at least.
fn shells() -> Vec<&'static [&'static str]> {
    let all: [&[&str]; 4] = [&["/bin/sh"], &["/bin/dash"], &["/bin/bash"], &["/bin/busybox", "sh"]];
    all.into_iter().filter(|shell| Path::new(shell[0]).exists()).collect()
}

fn run(shell: &[&str], script: &str, input: &[u8]) -> (Vec<u8>, String) {
    let mut child = Command::new(shell[0])
        .args(&shell[1..])
        .args(["-c", script])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_vec();
    let feed = std::thread::spawn(move || stdin.write_all(&input).ok());
    let output = child.wait_with_output().unwrap();
    feed.join().unwrap();
    (output.stdout, String::from_utf8_lossy(&output.stderr).into_owned())
}

fn see(shell: &[&str], blocks: &[Block]) -> Seen {
    let probes: Vec<Probe> = joined(blocks.iter().map(|block| block.0.probe()));
    let (said, errors) = run(shell, &LOOK, &question(ID, &probes));
    answer(ID, &probes, &said)
        .unwrap_or_else(|| panic!("{shell:?}: {}{errors}", String::from_utf8_lossy(&said)))
}

fn compare(shell: &[&str], blocks: &[Block]) -> Vec<Outcome> {
    let mut seen = see(shell, blocks);
    blocks.iter().map(|block| block.0.compare(&mut seen)).collect()
}

/// What differs; what is changed is as it is to be afterwards.
#[track_caller]
fn made(shell: &[&str], blocks: &[Block]) -> Vec<Change> {
    let (mut changes, mut ops) = (Vec::<Change>::new(), Vec::<Op>::new());
    for outcome in compare(shell, blocks) {
        match outcome {
            Outcome::Same => {}
            Outcome::Differs(change, more) => {
                changes.push(change);
                ops.extend(more);
            }
            Outcome::Blocked(why) => panic!("{why}"),
        }
    }
    let (_, said) = run(shell, &CHANGE, &orders(ID, &ops));
    assert_eq!(done(ID, said.as_bytes()), Some((ops.len(), String::new())), "{shell:?}: {said}");
    for outcome in compare(shell, blocks) {
        assert!(matches!(outcome, Outcome::Same), "{shell:?}: {outcome:?}");
    }
    changes
}

fn whats(changes: &[Change], dir: &Path) -> Vec<String> {
    changes.iter().map(|change| change.what.replace(&*dir.to_string_lossy(), "")).collect()
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

#[test]
fn files_directories_links_and_lines() {
    for shell in shells() {
        let dir = tempfile::tempdir().unwrap();
        let dir = dir.path();
        let odd = dir.join("it's $HOME\nand `more`");
        let me = fs::metadata(dir).unwrap().uid().to_string();
        let blocks: Vec<Block> = vec![
            Directory::at(dir.join("d/e")).mode(0o750).into(),
            File::at(dir.join("d/e/motd")).content("hello\n").mode(0o640).owner(&me).into(),
            File::at(&odd).content(&b"\0\x1e\xff binary"[..]).into(),
            File::at(dir.join("empty")).into(),
            Symlink::at(dir.join("link")).to("d/e/motd").into(),
            Line::in_file(dir.join("lines")).line("a = 'b'").into(),
            Line::in_file(dir.join("lines")).line("c = 2").in_place_of("c ").into(),
        ];
        let first = made(shell, &blocks);
        assert_eq!(first.len(), blocks.len(), "{first:?}");
        assert_eq!(whats(&first, dir)[..2], ["creates /d/e/", "creates /d/e/motd (6 bytes)"]);
        assert_eq!(fs::read(&odd).unwrap(), b"\0\x1e\xff binary");
        assert_eq!(fs::read_to_string(dir.join("lines")).unwrap(), "a = 'b'\nc = 2\n");
        assert_eq!((mode(&dir.join("d/e")), mode(&dir.join("d/e/motd"))), (0o750, 0o640));
        assert_eq!(mode(&odd), 0o644);
        assert_eq!(fs::read_to_string(dir.join("link")).unwrap(), "hello\n");
        assert!(made(shell, &blocks).is_empty(), "once more, nothing differs");
        // Somebody changes things.
        fs::write(dir.join("d/e/motd"), "bye\n").unwrap();
        fs::set_permissions(dir.join("d/e"), fs::Permissions::from_mode(0o700)).unwrap();
        fs::write(dir.join("lines"), "x\nc = 1\ny\nc = 3").unwrap();
        fs::remove_file(dir.join("link")).unwrap();
        std::os::unix::fs::symlink("nowhere", dir.join("link")).unwrap();
        let mended = made(shell, &blocks);
        assert_eq!(
            whats(&mended, dir),
            [
                "changes /d/e: mode 0700 -> 0750",
                "changes /d/e/motd: content changes (not shown: not everybody may read it)",
                "changes /link: leads to nowhere -> d/e/motd",
                "changes /lines",
                "changes /lines",
            ]
        );
        assert_eq!(fs::read_to_string(dir.join("lines")).unwrap(), "x\nc = 2\ny\na = 'b'\n");
        assert_eq!(
            mended[3].diff.as_deref(),
            Some("@@ -1,4 +1,5 @@\n x\n c = 1\n y\n-c = 3\n\\ No newline at end of file\n+c = 3\n+a = 'b'\n")
        );
        // Nothing is left of what files were written as.
        assert_eq!(fs::read_dir(dir.join("d/e")).unwrap().count(), 1);
    }
}

#[test]
fn what_is_kept_and_what_is_followed() {
    for shell in shells() {
        let dir = tempfile::tempdir().unwrap();
        let dir = dir.path();
        fs::write(dir.join("real"), "1\n").unwrap();
        fs::set_permissions(dir.join("real"), fs::Permissions::from_mode(0o604)).unwrap();
        std::os::unix::fs::symlink("real", dir.join("link")).unwrap();
        let changes = made(shell, &[File::at(dir.join("link")).content("2\n").into()]);
        assert_eq!(changes[0].diff.as_deref(), Some("@@ -1 +1 @@\n-1\n+2\n"));
        assert!(fs::symlink_metadata(dir.join("link")).unwrap().is_symlink());
        assert_eq!(
            (fs::read_to_string(dir.join("real")).unwrap(), mode(&dir.join("real"))),
            ("2\n".into(), 0o604)
        );
        let gone =
            made(shell, &[File::absent(dir.join("link")).into(), File::absent(dir.join("none")).into()]);
        assert_eq!(whats(&gone, dir), ["removes /link"]);
        assert!(dir.join("real").exists());
        let blocked = compare(
            shell,
            &[
                File::at(dir).content("x").into(),
                Directory::at(dir.join("real")).into(),
                Symlink::at(dir.join("real")).to("x").into(),
                File::absent(dir).into(),
            ],
        );
        assert!(blocked.iter().all(|outcome| matches!(outcome, Outcome::Blocked(_))), "{blocked:?}");
    }
}

#[test]
fn large_contents_arrive_whole() {
    for shell in shells() {
        let dir = tempfile::tempdir().unwrap();
        let large: Vec<u8> = (0..700_001u32).map(|n| (n * 7 % 251) as u8).collect();
        let path = dir.path().join("large");
        let blocks = [
            File::at(&path).content(&large[..]).into(),
            File::at(dir.path().join("behind")).content("it\n").into(),
        ];
        let changes = made(shell, &blocks);
        assert_eq!(fs::read(&path).unwrap(), large);
        assert_eq!(
            whats(&changes, dir.path()),
            ["creates /large (700001 bytes)", "creates /behind (3 bytes)"]
        );
        fs::write(&path, &large[1..]).unwrap();
        assert!(made(shell, &blocks)[0].what.contains("(700000 bytes -> 700001 bytes, blake3 "));
        // One that is as long, and differs.
        let mut other = large.clone();
        other[300_000] ^= 1;
        fs::write(&path, &other).unwrap();
        assert_eq!(made(shell, &blocks).len(), 1);
    }
}

#[test]
fn secrets_are_not_shown() {
    let canary = "k4n4r1e";
    let secret = Secret::new(format!("password = {canary}\n"));
    for shell in shells() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("secret");
        let block = || -> Block { File::at(&path).content(&secret).mode(0o600).into() };
        assert!(!block().0.described().contains("bytes"));
        let created = made(shell, &[block()]);
        assert_eq!(whats(&created, dir.path()), ["creates /secret (secret)"]);
        fs::write(&path, "password = other\n").unwrap();
        let ops = format!("{:?}", compare(shell, &[block()]));
        let changed = made(shell, &[block()]);
        assert_eq!(whats(&changed, dir.path()), ["changes /secret: content changes (secret)"]);
        let all = format!("{created:?}{changed:?}{ops}{block:?}", block = block());
        assert!(!all.contains(canary) && !all.contains("password"), "{all}");
        assert!(fs::read_to_string(&path).unwrap().contains(canary));
    }
}

#[test]
fn commands_run_when_their_guard_says_so() {
    for shell in shells() {
        let dir = tempfile::tempdir().unwrap();
        let (made_by, file) = (dir.path().join("made"), dir.path().join("it's"));
        let blocks = [
            super::Command::new(["touch".into(), made_by.clone().into_os_string()]).creates(&made_by).into(),
            super::Command::new(["cp".into(), "/etc/passwd".into(), file.clone().into_os_string()])
                .unless(["test".into(), "-s".into(), file.clone().into_os_string()])
                .into(),
        ];
        assert_eq!(made(shell, &blocks).len(), 2);
        assert!(made(shell, &blocks).is_empty());
        fs::remove_file(&file).unwrap();
        assert_eq!(made(shell, &blocks).len(), 1);
        assert!(fs::metadata(&file).unwrap().len() > 0);
    }
}

#[test]
fn the_first_that_fails_is_the_last() {
    for shell in shells() {
        let dir = tempfile::tempdir().unwrap();
        let path = |name: &str| dir.path().join(name);
        fs::write(path("file"), "").unwrap();
        let blocks: [Block; 3] = [
            File::at(path("a")).content("a").into(),
            super::Command::new(["sh", "-c", "echo out of luck; exit 3"]).creates(path("no")).into(),
            File::at(path("b")).content("b").into(),
        ];
        let ops: Vec<Op> = compare(shell, &blocks)
            .into_iter()
            .flat_map(|outcome| if let Outcome::Differs(_, ops) = outcome { ops } else { Vec::new() })
            .collect();
        let (_, said) = run(shell, &CHANGE, &orders(ID, &ops));
        assert_eq!(done(ID, said.as_bytes()), Some((1, "out of luck".into())), "{said}");
        assert!(path("a").exists() && !path("b").exists());
        // What was cut off is not done, and nobody says how it ended.
        let whole = orders(ID, &[Op::Remove { path: path("a") }]);
        let (_, said) = run(shell, &CHANGE, &whole[..whole.len() - 20]);
        assert_eq!(done(ID, said.as_bytes()), None);
    }
}

#[test]
fn users_keys_packages_and_services_are_looked_at() {
    for shell in shells() {
        let root: Block = User::named("root").uid(0).into();
        let none: Block = User::named("nobody-of-this-name").into();
        let key: Block = AuthorizedKey::of("nobody-of-this-name").key("ssh-ed25519 AAAA me").into();
        let service: Block = Service::named("no-such-service").running().into();
        let package: Block = Package::named("no-such-package-here").absent().into();
        let outcomes = compare(shell, &[root, none, key, service, package]);
        assert!(matches!(outcomes[0], Outcome::Same), "{outcomes:?}");
        assert!(
            matches!(&outcomes[1], Outcome::Differs(change, _) if change.what == "creates user nobody-of-this-name")
        );
        assert!(matches!(&outcomes[2], Outcome::Blocked(why) if why.contains("no user")));
        assert!(!matches!(outcomes[3], Outcome::Same));
        assert!(!matches!(outcomes[4], Outcome::Differs(..)));
    }
}

#[test]
fn checkouts() {
    let git = |dir: &Path, words: &[&str]| {
        let mut command = Command::new("git");
        command.args(["-c", "user.name=x", "-c", "user.email=x@y", "-C"]).arg(dir).args(words);
        let output = command.output().unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    };
    if Command::new("git").arg("--version").output().is_err() {
        println!("skipped: checkouts: there is no git here");
        return;
    }
    for shell in shells() {
        let dir = tempfile::tempdir().unwrap();
        let (origin, there) = (dir.path().join("origin"), dir.path().join("there"));
        fs::create_dir(&origin).unwrap();
        git(&origin, &["init", "-q"]);
        let commit = |text: &str| {
            fs::write(origin.join("file"), text).unwrap();
            git(&origin, &["add", "."]);
            git(&origin, &["commit", "-q", "-m", text]);
        };
        commit("one");
        git(&origin, &["tag", "-a", "v1", "-m", "v1"]);
        let url = origin.to_string_lossy().into_owned();
        let at =
            |revision: &str| -> [Block; 1] { [GitCheckout::of(&url).at(&there).revision(revision).into()] };
        assert_eq!(made(shell, &at("v1")).len(), 1);
        commit("two");
        assert!(made(shell, &at("v1")).is_empty());
        assert_eq!(made(shell, &at("")).len(), 1);
        assert_eq!(fs::read_to_string(there.join("file")).unwrap(), "two");
        let first = git(&origin, &["rev-parse", "v1^{commit}"]);
        assert_eq!(made(shell, &at(&first)).len(), 1);
        assert_eq!(fs::read_to_string(there.join("file")).unwrap(), "one");
    }
}

#[test]
fn what_cannot_be_meant_is_told() {
    let wrong: [(Block, &str); 9] = [
        (File::at("etc/motd").into(), "not absolute"),
        (File::at("/etc/../motd").into(), "`..`"),
        (File::at("/f").mode(0o10_644).into(), "no permission bits"),
        (File::at("/f").owner("a b").into(), "no name of a user"),
        (Line::in_file("/f").line("a\nb").into(), "not one line"),
        (Symlink::at("/f").into(), "leads nowhere"),
        (Package::named("-y").into(), "no name of a package"),
        (Service::named("web").into(), "say what it is to be"),
        (AuthorizedKey::of("me").key("abc").into(), "public key"),
    ];
    for (block, why) in wrong {
        let said = block.0.check().unwrap_err();
        assert!(said.contains(why), "{said}");
    }
}
