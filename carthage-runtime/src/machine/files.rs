//! Files of a machine: what a running one, its root and its file tree have in common.

use std::ffi::OsString;
use std::fmt;
use std::ops::Deref;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::io::AsyncReadExt;

use super::engine::{Engine, FileKind, FileStat, MachineSpec};
use super::renamed::Before;
use crate::error::{Error, ErrorKind};

/// The file tree of a machine, however it is reached: what a setup task of a `#[customization(filesystem)]` gets.
///
/// Whether the machine runs is not said, so nothing can be run in it. [`Root`] and [`Host`](super::Host) dereference to it: what
/// takes a `&Tree` works with all three.
///
/// ```no_run
/// # use carthage::prelude::*;
/// async fn greet(tree: &Tree) -> Result<()> {
///     tree.write("/etc/motd", "hello\n").await
/// }
/// # async fn body(host: &Host, root: &Root) -> Result<()> {
/// greet(host).await?;
/// greet(root).await?;
/// # Ok(()) }
/// ```
pub struct Tree {
    pub(super) spec: MachineSpec,
    pub(super) engine: Arc<dyn Engine>,
    /// If the implementation knows it by another name.
    pub(super) before: Option<Before>,
}

/// The root of a machine, which need not run: what a setup task of a `#[customization(container)]` gets. It offers the files of
/// [`Tree`], before the machine starts for the first time, while it is stopped, and while it runs.
pub struct Root(pub(super) Tree);

impl Deref for Root {
    type Target = Tree;

    fn deref(&self) -> &Tree {
        &self.0
    }
}

impl Tree {
    /// The fully qualified name of the machine, such as `worker-2.algebra`.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.spec.name
    }

    /// Writes a file as a whole: whoever looks sees the old contents or the new. Missing directories are made.
    ///
    /// # Errors
    /// When it cannot be written; the old contents stay.
    pub async fn write(&self, path: impl AsRef<Path>, contents: impl AsRef<[u8]>) -> crate::Result<()> {
        self.put(path.as_ref(), None, contents.as_ref()).await
    }

    /// Like [`Tree::write`], with permission bits.
    ///
    /// # Errors
    /// As there.
    pub async fn write_with_mode(
        &self,
        path: impl AsRef<Path>,
        mode: u32,
        contents: impl AsRef<[u8]>,
    ) -> crate::Result<()> {
        self.put(path.as_ref(), Some(mode), contents.as_ref()).await
    }

    async fn put(&self, path: &Path, mode: Option<u32>, contents: &[u8]) -> crate::Result<()> {
        let contents = Box::new(std::io::Cursor::new(contents.to_vec()));
        Ok(self.engine.write(self.known(), path, mode, contents).await?)
    }

    /// Reads a whole file.
    ///
    /// # Errors
    /// When it is not there or cannot be read.
    pub async fn read(&self, path: impl AsRef<Path>) -> crate::Result<Vec<u8>> {
        let path = path.as_ref();
        let mut contents = Vec::new();
        let mut reader = self.engine.read(self.known(), path).await?;
        reader.read_to_end(&mut contents).await.map_err(self.trouble("read", path))?;
        Ok(contents)
    }

    /// Reads a whole file as text.
    ///
    /// # Errors
    /// When it is not there, cannot be read, or is not UTF-8.
    pub async fn read_to_string(&self, path: impl AsRef<Path>) -> crate::Result<String> {
        Ok(String::from_utf8(self.read(path).await?)?)
    }

    /// What is at this path; `None` if nothing.
    ///
    /// # Errors
    /// When it cannot be told.
    pub async fn stat(&self, path: impl AsRef<Path>) -> crate::Result<Option<FileStat>> {
        Ok(self.engine.stat(self.known(), path.as_ref()).await?)
    }

    /// Whether something is at this path.
    ///
    /// # Errors
    /// When it cannot be told.
    pub async fn exists(&self, path: impl AsRef<Path>) -> crate::Result<bool> {
        Ok(self.stat(path).await?.is_some())
    }

    /// The names in a directory, sorted.
    ///
    /// # Errors
    /// When there is no directory.
    pub async fn read_dir(&self, path: impl AsRef<Path>) -> crate::Result<Vec<OsString>> {
        Ok(self.engine.read_dir(self.known(), path.as_ref()).await?)
    }

    /// Makes a directory and the missing ones above it.
    ///
    /// # Errors
    /// When it cannot be made.
    pub async fn make_dir(&self, path: impl AsRef<Path>) -> crate::Result<()> {
        Ok(self.engine.make_dir(self.known(), path.as_ref(), None).await?)
    }

    /// Like [`Tree::make_dir`], with permission bits of the last one.
    pub(crate) async fn make_dir_with_mode(&self, path: &Path, mode: Option<u32>) -> Result<(), Error> {
        self.engine.make_dir(self.known(), path, mode).await
    }

    /// Whether commands in it are only made up.
    pub(crate) fn pretends(&self) -> bool {
        self.engine.pretends()
    }

    /// Removes a file or a whole directory; no error if there is nothing.
    ///
    /// # Errors
    /// When it cannot be removed.
    pub async fn remove(&self, path: impl AsRef<Path>) -> crate::Result<()> {
        Ok(self.engine.remove_path(self.known(), path.as_ref()).await?)
    }

    /// Copies a file or a directory from this host into the machine, with permission bits. Symbolic links are followed.
    ///
    /// # Errors
    /// When something cannot be read here or written there; what was copied before stays.
    pub async fn copy_in(&self, local: impl AsRef<Path>, inside: impl AsRef<Path>) -> crate::Result<()> {
        let mut todo = vec![(local.as_ref().to_owned(), inside.as_ref().to_owned())];
        while let Some((from, to)) = todo.pop() {
            let cannot = || Error::host::<std::io::Error>(format!("cannot read `{}`", from.display()));
            let meta = tokio::fs::metadata(&from).await.map_err(cannot())?;
            let mode = Some(meta.permissions().mode() & 0o7777);
            if meta.is_dir() {
                self.engine.make_dir(self.known(), &to, mode).await?;
                let mut entries = tokio::fs::read_dir(&from).await.map_err(cannot())?;
                while let Some(entry) = entries.next_entry().await.map_err(cannot())? {
                    todo.push((entry.path(), to.join(entry.file_name())));
                }
            } else {
                let file = tokio::fs::File::open(&from).await.map_err(cannot())?;
                self.engine.write(self.known(), &to, mode, Box::new(file)).await?;
            }
        }
        Ok(())
    }

    /// Copies a file or a directory from the machine to this host, with permission bits. A file appears as a whole.
    ///
    /// # Errors
    /// When something cannot be read there or written here; what was copied before stays.
    pub async fn copy_out(&self, inside: impl AsRef<Path>, local: impl AsRef<Path>) -> crate::Result<()> {
        let mut todo = vec![(inside.as_ref().to_owned(), local.as_ref().to_owned())];
        while let Some((from, to)) = todo.pop() {
            let stat = self.engine.stat(self.known(), &from).await?.ok_or_else(|| {
                let what = format!("there is no `{}` in `{}`", from.display(), self.name());
                Error::new(ErrorKind::NotFound, what)
            })?;
            match stat.kind {
                FileKind::Directory => {
                    let cannot = Error::host(format!("cannot make `{}`", to.display()));
                    tokio::fs::create_dir_all(&to).await.map_err(cannot)?;
                    for name in self.read_dir(&from).await? {
                        todo.push((from.join(&name), to.join(&name)));
                    }
                }
                FileKind::File | FileKind::Symlink => self.fetch(&from, &to, stat.mode).await?,
                FileKind::Other => {
                    let what =
                        format!("`{}` in `{}` is not a file or a directory", from.display(), self.name());
                    return Err(Error::new(ErrorKind::Usage, what).into());
                }
            }
        }
        Ok(())
    }

    async fn fetch(&self, from: &Path, to: &Path, mode: u32) -> crate::Result<()> {
        let cannot = || Error::host::<std::io::Error>(format!("cannot write `{}`", to.display()));
        let parent = to.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let parent: PathBuf = parent.to_owned();
        let temporary = tokio::task::spawn_blocking(move || tempfile::NamedTempFile::new_in(parent));
        let temporary = temporary.await?.map_err(cannot())?;
        let mut file = tokio::fs::File::from_std(temporary.reopen().map_err(cannot())?);
        let mut reader = self.engine.read(self.known(), from).await?;
        tokio::io::copy(&mut reader, &mut file).await.map_err(cannot())?;
        file.set_permissions(std::fs::Permissions::from_mode(mode)).await.map_err(cannot())?;
        file.sync_all().await.map_err(cannot())?;
        temporary.persist(to).map_err(|error| error.error).map_err(cannot())?;
        Ok(())
    }

    fn trouble(&self, verb: &str, path: &Path) -> impl FnOnce(std::io::Error) -> Error {
        Error::host(format!("cannot {verb} `{}` in `{}`", path.display(), self.name()))
    }
}

impl fmt::Debug for Tree {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Tree").field(&self.name()).finish()
    }
}

impl fmt::Debug for Root {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Root").field(&self.name()).finish()
    }
}
