//! What the tasks of a model work on: a directory of the model's own, on the controller.

use std::ffi::OsString;
use std::fs::{self, Permissions};
use std::io::{self, ErrorKind as Io};
use std::os::unix::fs::PermissionsExt;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::crash::crash_point;
use crate::error::{Error, ErrorKind};
use crate::state::dirs::make_dir;
use crate::state::storage::{Open, Storage, directory, gone};

/// What is ours in such a directory: the stamps, and files that are not whole yet.
const OURS: &str = ".carthage";

/// A directory on the controller that belongs to a model: what a setup task of `#[model_tasks]` gets, and, by
/// [`Generated`](crate::Generated), what the tasks of machines in the model read.
///
/// It is in the cache directory of the layout and may be deleted at any time; the model's tasks then run again. Paths are relative to
/// it, and do not lead out of it. What these functions do not offer, plain Rust can do below [`ModelDir::path`], and should sync: that the
/// task has run is known also after a power cut.
///
/// ```no_run
/// # use carthage::prelude::*;
/// # async fn body(dir: &ModelDir) -> Result<()> {
/// dir.write("hosts", "10.37.0.2 mirror\n").await?;
/// dir.write_with_mode("keys/ca.key", 0o600, "…").await?;
/// assert!(dir.exists("hosts").await?);
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
pub struct ModelDir {
    model: String,
    path: PathBuf,
    storage: Arc<dyn Storage>,
}

impl ModelDir {
    /// Of the model that users call `model`.
    pub(crate) fn new(model: String, path: PathBuf, storage: Arc<dyn Storage>) -> Self {
        Self { model, path, storage }
    }

    /// What users call the model: `algebra`, or `mirror.algebra` for a machine's.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.model
    }

    /// Where it is. It is there while a task of the model runs, and once one has.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The path on the controller of something in it.
    ///
    /// # Errors
    /// When `inside` leads out of it.
    pub fn path_of(&self, inside: impl AsRef<Path>) -> crate::Result<PathBuf> {
        Ok(self.inside(inside.as_ref())?)
    }

    /// Writes a file as a whole: whoever looks sees the old contents or the new. Missing directories are made.
    ///
    /// # Errors
    /// When it cannot be written, and when the path leads out of the directory; the old contents stay.
    pub async fn write(&self, inside: impl AsRef<Path>, contents: impl AsRef<[u8]>) -> crate::Result<()> {
        self.write_with_mode(inside, 0o644, contents).await
    }

    /// Like [`ModelDir::write`], with permission bits.
    ///
    /// # Errors
    /// As there.
    pub async fn write_with_mode(
        &self,
        inside: impl AsRef<Path>,
        mode: u32,
        contents: impl AsRef<[u8]>,
    ) -> crate::Result<()> {
        let (to, contents) = (self.inside(inside.as_ref())?, contents.as_ref().to_vec());
        let failed = Error::host(format!("cannot write `{}`", to.display()));
        let this = self.clone();
        Ok(self.blocking(move || this.put(&to, mode, &contents).map_err(failed)).await?)
    }

    fn put(&self, to: &Path, mode: u32, contents: &[u8]) -> io::Result<()> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let (ours, storage) = (self.ours(), &self.storage);
        for dir in [&ours, directory(to)] {
            storage.make_dirs(dir).map_err(|(_, error)| error)?;
        }
        // What a killed process has left there is cleared away before a task begins.
        let scratch = ours.join(format!("new-{}", NEXT.fetch_add(1, Ordering::Relaxed)));
        let file = storage.open(&scratch, Open::Whole)?;
        storage.append(&file, contents)?;
        file.set_permissions(Permissions::from_mode(mode))?;
        storage.sync(&file)?;
        storage.rename(&scratch, to)?;
        storage.sync_dir(directory(to))
    }

    /// Reads a whole file.
    ///
    /// # Errors
    /// When it is not there or cannot be read, and when the path leads out of the directory.
    pub async fn read(&self, inside: impl AsRef<Path>) -> crate::Result<Vec<u8>> {
        let path = self.inside(inside.as_ref())?;
        let model = self.model.clone();
        let read = move || {
            fs::read(&path).map_err(|error| {
                let what = format!("cannot read `{}` of what `{model}` has generated", path.display());
                let kind = if error.kind() == Io::NotFound { ErrorKind::NotFound } else { ErrorKind::Host };
                Error::new(kind, what)
                    .because(error)
                    .hint("a task of `#[model_tasks]` has to write it; `run` runs one again")
            })
        };
        Ok(self.blocking(read).await?)
    }

    /// Reads a whole file as text.
    ///
    /// # Errors
    /// As with [`ModelDir::read`], and when it is not UTF-8.
    pub async fn read_to_string(&self, inside: impl AsRef<Path>) -> crate::Result<String> {
        Ok(String::from_utf8(self.read(inside).await?)?)
    }

    /// Whether something is at this path.
    ///
    /// # Errors
    /// When it cannot be told, and when the path leads out of the directory.
    pub async fn exists(&self, inside: impl AsRef<Path>) -> crate::Result<bool> {
        let path = self.inside(inside.as_ref())?;
        let failed = Error::host(format!("cannot look at `{}`", path.display()));
        Ok(self.blocking(move || path.try_exists().map_err(failed)).await?)
    }

    /// The names in a directory, sorted; `""` is the model's own.
    ///
    /// # Errors
    /// When there is no directory, and when the path leads out of the model's.
    pub async fn read_dir(&self, inside: impl AsRef<Path>) -> crate::Result<Vec<OsString>> {
        let path = self.inside(inside.as_ref())?;
        let failed = Error::host(format!("cannot read the directory `{}`", path.display()));
        let storage = self.storage.clone();
        let read = move || {
            let mut names = storage.names(&path)?;
            names.retain(|name| name != OURS);
            names.sort_unstable();
            Ok::<_, std::io::Error>(names)
        };
        Ok(self.blocking(move || read().map_err(failed)).await?)
    }

    /// Removes a file or a whole directory; no error if there is nothing.
    ///
    /// # Errors
    /// When it cannot be removed, and when the path leads out of the directory.
    pub async fn remove(&self, inside: impl AsRef<Path>) -> crate::Result<()> {
        let path = self.inside(inside.as_ref())?;
        let failed = Error::host(format!("cannot remove `{}`", path.display()));
        let storage = self.storage.clone();
        let remove = move || match fs::symlink_metadata(&path) {
            Err(error) if error.kind() == Io::NotFound => Ok(()),
            Err(error) => Err(error),
            Ok(meta) => {
                if meta.is_dir() {
                    storage.remove_tree(&path)?
                } else {
                    storage.remove(&path)?
                }
                storage.sync_dir(directory(&path))
            }
        };
        Ok(self.blocking(move || remove().map_err(failed)).await?)
    }

    /// A path in the directory.
    fn inside(&self, inside: &Path) -> Result<PathBuf, Error> {
        let plain = inside.components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir));
        let ours = inside.components().find(|part| *part != Component::CurDir);
        if plain && ours != Some(Component::Normal(OURS.as_ref())) {
            return Ok(self.path.join(inside));
        }
        let what = format!("`{}` is no path in the directory of `{}`", inside.display(), self.model);
        let error = Error::new(ErrorKind::Usage, what);
        Err(error.hint("name a path that is relative to it, without `..`, such as `etc/hosts`"))
    }

    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let done = tokio::task::spawn_blocking(work).await;
        done.map_err(Error::host("a thread that works on files of a model has died"))?
    }

    fn ours(&self) -> PathBuf {
        self.path.join(OURS)
    }

    /// Where the stamps of the model's tasks are: in the directory, so that they go with it.
    pub(crate) fn stamps(&self) -> PathBuf {
        self.ours().join("stamps")
    }

    /// Makes the directory, if it is not there, and removes what an earlier run was killed in writing.
    pub(crate) async fn prepare(&self) -> Result<(), Error> {
        let this = self.clone();
        let failed = Error::host(format!("cannot clear `{}`", self.ours().display()));
        self.blocking(move || {
            let (ours, storage) = (this.ours(), &this.storage);
            make_dir(&**storage, &ours)?;
            let clear = || {
                for name in storage.names(&ours)? {
                    let path = ours.join(name);
                    if storage.metadata(&path)?.is_file() {
                        storage.remove(&path)?;
                    }
                }
                Ok::<_, io::Error>(())
            };
            clear().map_err(failed)
        })
        .await
    }

    /// Whether it is there.
    pub(crate) async fn is_there(&self) -> Result<bool, Error> {
        let path = self.path.clone();
        let failed = Error::host(format!("cannot look at `{}`", path.display()));
        self.blocking(move || path.try_exists().map_err(failed)).await
    }

    /// Removes it with all that is in it: the stamps first, so that whatever is left of it counts as nothing.
    pub(crate) async fn destroy(&self) -> Result<(), Error> {
        let this = self.clone();
        self.blocking(move || {
            let (ours, stamps) = (this.ours(), this.stamps());
            let cannot = Error::host(format!("cannot remove `{}`", this.path.display()));
            let remove = || {
                if ours.exists() {
                    gone(this.storage.remove_tree(&stamps))?;
                    this.storage.sync_dir(&ours)?;
                }
                crash_point("model-stamps-removed");
                gone(this.storage.remove_tree(&this.path))?;
                // What is on record of it goes after that.
                match this.path.parent() {
                    Some(models) if models.exists() => this.storage.sync_dir(models),
                    _ => Ok(()),
                }
            };
            remove().map_err(cannot)
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::storage::Disk;

    fn model_dir(path: PathBuf) -> ModelDir {
        ModelDir::new("algebra".into(), path, Arc::new(Disk::default()))
    }

    #[tokio::test]
    async fn files_are_in_it_and_whole() {
        let base = tempfile::tempdir().unwrap();
        let dir = model_dir(base.path().join("models/algebra"));
        assert!(!dir.exists("a").await.unwrap() && !dir.is_there().await.unwrap(), "looking makes nothing");
        assert_eq!(dir.read("a").await.unwrap_err().downcast::<Error>().unwrap().kind(), ErrorKind::NotFound);
        dir.write_with_mode("keys/a", 0o600, "one").await.unwrap();
        dir.write("b", "two").await.unwrap();
        assert_eq!(dir.read_to_string("./keys/a").await.unwrap(), "one");
        let mode = fs::metadata(dir.path_of("keys/a").unwrap()).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(dir.read_dir("").await.unwrap(), ["b", "keys"]);
        for out in ["/etc/passwd", "../b", "keys/../../b", ".carthage/stamps/render", "./.carthage"] {
            let error = dir.write(out, "").await.unwrap_err().downcast::<Error>().unwrap();
            assert_eq!(error.kind(), ErrorKind::Usage, "{out}");
        }
        dir.remove("keys").await.unwrap();
        dir.remove("keys").await.unwrap();
        dir.remove("b").await.unwrap();
        assert_eq!(dir.read_dir("").await.unwrap(), [""; 0]);
        dir.destroy().await.unwrap();
        dir.destroy().await.unwrap();
        assert!(!dir.is_there().await.unwrap());
    }

    #[tokio::test]
    async fn what_was_not_whole_is_cleared_away() {
        let base = tempfile::tempdir().unwrap();
        let dir = model_dir(base.path().join("algebra"));
        dir.prepare().await.unwrap();
        fs::create_dir(dir.stamps()).unwrap();
        fs::write(dir.stamps().join("render"), "").unwrap();
        fs::write(dir.ours().join("new-7"), "half").unwrap();
        dir.prepare().await.unwrap();
        assert!(dir.stamps().join("render").exists() && !dir.ours().join("new-7").exists());
    }
}
