//! The same tests again, as somebody who is not root.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result};
use nix::unistd::User;

use super::build::Binary;
use super::ground::Ground;
use super::narrow;
use super::tally::Tally;

/// Who: users of every Debian, of whom no daemon makes use. (Not `nobody`, whose number also stands for strangers' files.)
const USERS: [&str; 2] = ["games", "daemon"];

/// Tests that call cargo or read the source tree, which may be out of an ordinary user's reach; they are the same for every user.
const AT_HOME: [&str; 7] = ["carthage", "carthage_macros", "tidy", "ui", "editor", "bench_compile", "xtask"];

/// Runs them.
pub(super) fn run(ground: &Ground, binaries: &[Binary], tally: &mut Tally) -> Result<()> {
    let mut found = USERS.iter().filter_map(|name| User::from_name(name).ok().flatten());
    let Some(user) = found.next() else {
        tally.skip(
            "everything, as an ordinary user",
            &format!("there is none of the users {}", USERS.join(", ")),
        );
        return Ok(());
    };
    ground.passable()?;
    let copies = ground.base().join("programs");
    fs::create_dir(&copies)?;
    fs::set_permissions(&copies, Permissions::from_mode(0o755))?;
    tally.section(&format!("as {}", user.name));
    let copy = |binary: &Binary| -> Result<PathBuf> {
        let file = binary.path.file_name().context("a program without a name")?;
        let copy = copies.join(file);
        fs::copy(&binary.path, &copy).with_context(|| format!("cannot copy `{}`", binary.path.display()))?;
        fs::set_permissions(&copy, Permissions::from_mode(0o755))?;
        Ok(copy)
    };
    // What tests start is found beside them.
    for program in binaries.iter().filter(|binary| !binary.is_test) {
        copy(program)?;
    }
    for binary in binaries.iter().filter(|binary| binary.is_test && !AT_HOME.contains(&binary.name.as_str()))
    {
        let copy = copy(binary)?;
        println!("\n{} as {}", binary.name, user.name);
        tally.begin(&binary.name);
        tally.watch(&binary.name, |once| {
            let mut command = Command::new(&copy);
            command.arg("--show-output");
            narrow(&mut command, once);
            ground.prepare_for(&user, &mut command)?;
            Ok(command)
        });
    }
    tally.section("");
    Ok(())
}
