//! Where tests may leave things while they run, and what the host is.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use nix::unistd::{User, geteuid};
use tempfile::TempDir;

/// A directory for everything that tests write, apart from what cargo builds.
#[derive(Debug)]
pub(super) struct Ground {
    dir: TempDir,
}

impl Ground {
    pub(super) fn new() -> Result<Self> {
        let dir = tempfile::Builder::new().prefix("carthage-test-").tempdir()?;
        // An ordinary user has to come through; what is private below has modes of its own.
        fs::set_permissions(dir.path(), Permissions::from_mode(0o755))?;
        let ground = Self { dir };
        ground.make("own", None)?;
        Ok(ground)
    }

    pub(super) fn base(&self) -> &Path {
        self.dir.path()
    }

    /// Has a command write to this ground only, and not be led by the user's own settings.
    pub(super) fn prepare(&self, command: &mut Command) {
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("CARTHAGE_") {
                command.env_remove(name);
            }
        }
        Self::settle(command, &self.base().join("own"));
    }

    /// Where such a command keeps what can be made again.
    pub(super) fn cache(&self) -> PathBuf {
        self.base().join("own/cache")
    }

    /// Prepares a command to be run as this user, who finds a home directory here, and nothing of root's.
    pub(super) fn prepare_for(&self, user: &User, command: &mut Command) -> Result<()> {
        use std::os::unix::process::CommandExt;
        let home = self.make(&user.name, Some(user))?;
        command.env_clear().env("PATH", "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin");
        command.env("HOME", &home).env("USER", &user.name).env("LOGNAME", &user.name).current_dir(&home);
        Self::settle(command, &home);
        // With a user id and no groups, the standard library drops root's supplementary groups, too.
        command.uid(user.uid.as_raw()).gid(user.gid.as_raw());
        Ok(())
    }

    fn settle(command: &mut Command, below: &Path) {
        for (name, dir) in [("TMPDIR", "tmp"), ("XDG_STATE_HOME", "state"), ("XDG_CACHE_HOME", "cache")] {
            command.env(name, below.join(dir));
        }
    }

    /// A place of its own for a user, the temporary directory in it.
    fn make(&self, name: &str, owner: Option<&User>) -> Result<PathBuf> {
        let place = self.base().join(name);
        // Without an owner they are as on any host: some tests go on as somebody else.
        let modes = if owner.is_some() { [0o700, 0o700] } else { [0o755, 0o1777] };
        for (dir, mode) in [place.clone(), place.join("tmp")].into_iter().zip(modes) {
            if !dir.exists() {
                fs::create_dir(&dir)?;
                fs::set_permissions(&dir, Permissions::from_mode(mode))?;
                if let Some(user) = owner {
                    chown(&dir, Some(user.uid.as_raw()), Some(user.gid.as_raw()))?;
                }
            }
        }
        Ok(place)
    }

    /// An error when somebody who is not root cannot come here.
    pub(super) fn passable(&self) -> Result<()> {
        for dir in self.base().ancestors() {
            if fs::metadata(dir)?.mode() & 0o001 == 0 {
                bail!(
                    "an ordinary user cannot pass `{}`: set TMPDIR to a directory open to all",
                    dir.display()
                );
            }
        }
        Ok(())
    }

    /// Removes it.
    pub(super) fn close(self) -> Result<()> {
        let path = self.base().to_owned();
        self.dir.close().with_context(|| format!("cannot remove `{}`", path.display()))
    }

    /// What decides which tests can run.
    pub(super) fn describe(&self) -> String {
        let read = |path: &str| {
            fs::read_to_string(path).map_or_else(|_| "absent".to_owned(), |text| text.trim().to_owned())
        };
        let mut lines = vec![
            format!(
                "kernel {}, {} processors, user id {}",
                read("/proc/sys/kernel/osrelease"),
                processors(),
                geteuid()
            ),
            format!("control groups: {}", cgroups()),
        ];
        for setting in [
            "user/max_user_namespaces",
            "kernel/unprivileged_userns_clone",
            "kernel/apparmor_restrict_unprivileged_userns",
        ] {
            lines.push(format!("{} = {}", setting.replace('/', "."), read(&format!("/proc/sys/{setting}"))));
        }
        lines.push(format!("tests write below {}", self.base().display()));
        lines.join("\n")
    }
}

fn processors() -> usize {
    std::thread::available_parallelism().map_or(1, Into::into)
}

fn cgroups() -> &'static str {
    match (
        Path::new("/sys/fs/cgroup/cgroup.controllers").exists(),
        Path::new("/sys/fs/cgroup/memory").exists(),
    ) {
        (true, _) => "version 2",
        (false, true) => "version 1",
        (false, false) => "none",
    }
}
