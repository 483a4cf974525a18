//! Values of the layout: kept ones, and secrets.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use carthage_e2e::{Lab, lab};

fn token(lab: &Lab) -> String {
    let page = lab.exec("server", &["cat", "/srv/testlab/page"]);
    page.lines().last().unwrap().strip_prefix("token: ").unwrap().to_owned()
}

#[test]
fn a_kept_value_is_the_same_until_it_is_destroyed() {
    let mut lab = lab!();
    lab.deploy();
    let first = token(&lab);
    lab.set("TESTLAB_TEXT", "again");
    lab.deploy();
    lab.run(&["run", "server.test/site.index"]).code(0);
    assert_eq!(token(&lab), first);
    // Also when all that is safe to delete is deleted.
    fs::remove_dir_all(lab.state().join("cache")).unwrap();
    lab.deploy();
    assert_eq!(token(&lab), first);
    lab.destroy();
    lab.deploy();
    assert_ne!(token(&lab), first);
}

#[test]
fn what_is_kept_is_for_its_owner_only() {
    let lab = lab!();
    lab.deploy();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&lab.state()), 0o700);
    for file in files(&lab.state()) {
        // What a machine sees has the modes that it should have there; nobody else gets so far.
        let seen = |name: &str| name == "upper" || name.starts_with("cover");
        if !file.components().any(|part| part.as_os_str().to_str().is_some_and(seen)) {
            assert_eq!(mode(&file) & 0o077, 0, "{}", file.display());
        }
    }
}

#[test]
fn a_secret_is_nowhere() {
    let mut lab = lab!();
    let secret = format!("{:032x}", fastrand::u128(..));
    lab.set("TESTLAB_PASSWORD", &secret);
    let outputs = [
        lab.run(&["plan"]).code(2),
        lab.run(&["deploy", "--yes", "--json"]).code(0),
        lab.run(&["status", "--json"]).code(0),
        lab.run(&["list"]).code(0),
        lab.run(&["run", "vault.test/works.unlock", "--json"]).code(0),
    ];
    // It was there where it was needed.
    assert_eq!(lab.exec("vault", &["cat", "/var/lib/testlab/length"]), "32");
    outputs.into_iter().for_each(|output| drop(output.does_not_say(&secret)));
    let all = files(lab.base());
    let stamps = all.iter().find(|file| file.ends_with("vault/@stamps.ndjson")).expect("they are among them");
    assert!(fs::read_to_string(stamps).unwrap().contains("works.unlock"));
    for file in all {
        let Ok(contents) = fs::read(&file) else { continue };
        let found = contents.windows(secret.len()).any(|window| window == secret.as_bytes());
        assert!(!found, "{} holds the secret", file.display());
    }
    // It counts as an input all the same.
    lab.set("TESTLAB_PASSWORD", "another");
    let plan = lab.run(&["plan", "--json"]).code(2).steps();
    assert_eq!(plan, ["run task:vault.test/works.unlock: its inputs changed"]);
}

/// All regular files below a directory.
fn files(directory: &Path) -> Vec<PathBuf> {
    let (mut found, mut todo) = (Vec::new(), vec![directory.to_owned()]);
    while let Some(directory) = todo.pop() {
        // A directory of the kernel's, which nobody may enter, holds no file of ours.
        for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
            match entry.file_type().unwrap() {
                kind if kind.is_dir() => todo.push(entry.path()),
                kind if kind.is_file() => found.push(entry.path()),
                _ => {}
            }
        }
    }
    found
}
