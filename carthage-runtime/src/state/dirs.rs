//! Where a layout's state, cache and logs are.
//!
//! | | default | with `--state-dir D` |
//! |---|---|---|
//! | state | `$XDG_STATE_HOME/carthage/<layout>` | `D/<layout>` |
//! | cache | `$XDG_CACHE_HOME/carthage/<layout>` | `D/<layout>/cache` |
//! | logs | `$XDG_STATE_HOME/carthage/<layout>/log` | `D/<layout>/log` |
//!
//! Without `XDG_STATE_HOME` and `XDG_CACHE_HOME` they are `$HOME/.local/state` and `$HOME/.cache`; for root without a `HOME`,
//! as under a service manager, `/var/lib` and `/var/cache`. A variable that holds no absolute path counts as not set.

use std::ffi::OsString;
use std::fs;
use std::io::ErrorKind as Io;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::storage::{Storage, usual};
use crate::error::{Error, ErrorKind};

/// The directories of one layout, and what they are on. Making this value touches nothing.
#[derive(Clone, Debug)]
pub struct Dirs {
    layout: String,
    state: PathBuf,
    cache: PathBuf,
    logs: PathBuf,
    storage: Arc<dyn Storage>,
}

impl Dirs {
    /// The directories of the layout of this name; below `state_dir` if given.
    ///
    /// # Errors
    /// When the name cannot be a directory's, or there is no home directory to put them in.
    pub fn find(layout: &str, state_dir: Option<&Path>) -> Result<Self, Error> {
        Self::find_in(layout, state_dir, &|name| std::env::var_os(name), rustix::process::geteuid().is_root())
    }

    fn find_in(
        layout: &str,
        state_dir: Option<&Path>,
        env: &dyn Fn(&str) -> Option<OsString>,
        root: bool,
    ) -> Result<Self, Error> {
        if layout.is_empty() || layout.starts_with('.') || layout.contains(['/', '\0']) {
            let what = format!("the layout's name `{layout}` cannot be the name of a directory");
            return Err(Error::new(ErrorKind::Usage, what).hint("write another `#[layout(name = …)]`"));
        }
        if let Some(dir) = state_dir {
            let base = std::path::absolute(dir)
                .map_err(Error::host(format!("the state directory `{}` is no usable path", dir.display())))?;
            let state = base.join(layout);
            let (cache, logs) = (state.join("cache"), state.join("log"));
            return Ok(Self { layout: layout.into(), state, cache, logs, storage: usual() });
        }
        let absolute = |name: &str| env(name).map(PathBuf::from).filter(|path| path.is_absolute());
        let place = |xdg: &str, below_home: &str, for_root: &str| {
            absolute(xdg)
                .or_else(|| absolute("HOME").map(|home| home.join(below_home)))
                .or_else(|| root.then(|| PathBuf::from(for_root)))
                .ok_or_else(|| {
                    Error::new(
                        ErrorKind::Host,
                        format!("there is no directory for layout `{layout}`: HOME is not set"),
                    )
                    .hint("name one with --state-dir or CARTHAGE_STATE_DIR")
                })
        };
        let state = place("XDG_STATE_HOME", ".local/state", "/var/lib")?.join("carthage").join(layout);
        let cache = place("XDG_CACHE_HOME", ".cache", "/var/cache")?.join("carthage").join(layout);
        let logs = state.join("log");
        Ok(Self { layout: layout.into(), state, cache, logs, storage: usual() })
    }

    /// The same directories on something else.
    #[must_use]
    pub fn on(self, storage: Arc<dyn Storage>) -> Self {
        Self { storage, ..self }
    }

    /// What they are on.
    #[must_use]
    pub fn storage(&self) -> &Arc<dyn Storage> {
        &self.storage
    }

    /// The layout's name.
    #[must_use]
    pub fn layout(&self) -> &str {
        &self.layout
    }

    /// What is hard to recover: the store, the lock, and what implementations keep.
    #[must_use]
    pub fn state(&self) -> &Path {
        &self.state
    }

    /// Stamps: safe to delete, at the price of running idempotent tasks again.
    #[must_use]
    pub fn cache(&self) -> &Path {
        &self.cache
    }

    /// Logs: safe to delete.
    #[must_use]
    pub fn logs(&self) -> &Path {
        &self.logs
    }

    /// What no machine may see.
    #[must_use]
    pub fn private(&self) -> Vec<PathBuf> {
        let mut all = vec![self.state.clone()];
        all.extend(
            [&self.cache, &self.logs].into_iter().filter(|dir| !dir.starts_with(&self.state)).cloned(),
        );
        all
    }

    /// Makes the state directory with mode 0700, if it is not there; tells which directories were made, outermost first.
    pub(super) fn make(&self) -> Result<Vec<PathBuf>, Error> {
        let made = make_dir(&*self.storage, &self.state)?;
        let found = self.storage.metadata(&self.state).map_err(unusable(&self.state))?;
        let me = rustix::process::geteuid();
        if found.uid() != me.as_raw() {
            let what = format!(
                "the state directory `{}` belongs to another user (uid {})",
                self.state.display(),
                found.uid()
            );
            return Err(Error::new(ErrorKind::Host, what).hint(
                "run this as that user, or name another directory with --state-dir or CARTHAGE_STATE_DIR",
            ));
        }
        if found.mode() & 0o077 != 0 {
            fs::set_permissions(&self.state, fs::Permissions::from_mode(0o700))
                .map_err(unusable(&self.state))?;
        }
        Ok(made)
    }
}

/// Makes a directory and the missing ones above it, durably; tells which, outermost first. Exists already is no error.
pub(crate) fn make_dir(storage: &dyn Storage, dir: &Path) -> Result<Vec<PathBuf>, Error> {
    storage.make_dirs(dir).map_err(|(dir, error)| unusable(&dir)(error))
}

/// Whatever keeps a directory, or a file in it, from being used, with what to do about it.
pub(super) fn unusable(dir: &Path) -> impl FnOnce(std::io::Error) -> Error {
    let what = format!("cannot use `{}` for the layout's state", dir.display());
    move |error| {
        let hint = match error.kind() {
            Io::StorageFull | Io::QuotaExceeded => "make room there",
            _ => {
                "make it writable for this user, or name another directory with --state-dir or CARTHAGE_STATE_DIR"
            }
        };
        Error::new(ErrorKind::Host, what).because(error).hint(hint)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(env: &[(&str, &str)], state_dir: Option<&str>, root: bool) -> Result<Dirs, Error> {
        let get =
            |name: &str| env.iter().find(|(key, _)| *key == name).map(|(_, value)| OsString::from(value));
        Dirs::find_in("lab", state_dir.map(Path::new), &get, root)
    }

    #[test]
    fn where_they_are() {
        let dirs = find(&[("HOME", "/home/u")], None, false).unwrap();
        assert_eq!(dirs.state(), Path::new("/home/u/.local/state/carthage/lab"));
        assert_eq!(dirs.cache(), Path::new("/home/u/.cache/carthage/lab"));
        assert_eq!(dirs.logs(), Path::new("/home/u/.local/state/carthage/lab/log"));
        assert_eq!(dirs.private(), [dirs.state(), dirs.cache()]);

        let dirs =
            find(&[("HOME", "/h"), ("XDG_STATE_HOME", "/s"), ("XDG_CACHE_HOME", "relative")], None, false)
                .unwrap();
        assert_eq!(
            (dirs.state(), dirs.cache()),
            (Path::new("/s/carthage/lab"), Path::new("/h/.cache/carthage/lab"))
        );

        let dirs = find(&[], None, true).unwrap();
        assert_eq!(
            (dirs.state(), dirs.cache()),
            (Path::new("/var/lib/carthage/lab"), Path::new("/var/cache/carthage/lab"))
        );

        let dirs = find(&[], Some("/x"), false).unwrap();
        assert_eq!(
            (dirs.state(), dirs.cache(), dirs.logs()),
            ("/x/lab".as_ref(), "/x/lab/cache".as_ref(), "/x/lab/log".as_ref())
        );
        assert_eq!(dirs.private(), [dirs.state()]);
    }

    #[test]
    fn no_home_and_bad_names() {
        let error = find(&[], None, false).unwrap_err();
        assert!(error.next_step().unwrap().contains("--state-dir"), "{error:?}");
        for bad in ["", ".", "..", "a/b", ".hidden"] {
            assert_eq!(Dirs::find(bad, None).unwrap_err().kind(), ErrorKind::Usage, "{bad:?}");
        }
    }

    #[test]
    fn made_private_and_only_once() {
        let base = tempfile::tempdir().unwrap();
        let dirs = Dirs::find("lab", Some(&base.path().join("a/b"))).unwrap();
        assert_eq!(
            dirs.make().unwrap(),
            [base.path().join("a"), base.path().join("a/b"), base.path().join("a/b/lab")]
        );
        assert!(dirs.make().unwrap().is_empty());
        let mode = |dir: &Path| fs::metadata(dir).unwrap().mode() & 0o777;
        assert_eq!(mode(dirs.state()), 0o700);
        fs::set_permissions(dirs.state(), fs::Permissions::from_mode(0o755)).unwrap();
        dirs.make().unwrap();
        assert_eq!(mode(dirs.state()), 0o700);
    }

    #[test]
    fn directories_are_on_record_before_they_are_made() {
        let base = tempfile::tempdir().unwrap();
        let home = base.path().to_str().unwrap();
        let dirs = find(&[("HOME", home), ("XDG_CACHE_HOME", "/proc/nowhere")], None, false).unwrap();
        let error = crate::state::Store::open(&dirs, "deploy").unwrap_err();
        assert!(error.to_string().contains("/proc/nowhere"), "{error:?}");
        let made = crate::state::Snapshot::read(&dirs).unwrap().made;
        assert!(made.contains(Path::new("/proc/nowhere/carthage")) && made.contains(dirs.logs()), "{made:?}");
    }

    #[test]
    fn a_file_in_the_way() {
        let base = tempfile::tempdir().unwrap();
        fs::write(base.path().join("f"), "").unwrap();
        let error = Dirs::find("lab", Some(&base.path().join("f"))).unwrap().make().unwrap_err();
        assert!(error.to_string().contains("/f"), "{error:?}");
        assert!(error.next_step().unwrap().contains("--state-dir"), "{error:?}");
    }
}
