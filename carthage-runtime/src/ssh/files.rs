//! Files of a machine, by the file channel of its connection.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use futures_util::{StreamExt, TryStreamExt};
use openssh_sftp_client::Sftp;
use openssh_sftp_client::file::TokioCompatFile;
use openssh_sftp_client::fs::Fs;
use openssh_sftp_client::metadata::{MetaData, MetaDataBuilder, Permissions};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::sftp::{failed, is_absent};
use crate::error::{Error, ErrorKind};
use crate::machine::engine::{FileKind, FileStat, Reader};

/// Bytes that are read or written at once.
const PIECE: usize = 128 * 1024;

/// The files of one machine.
pub(super) struct Files<'a> {
    pub(super) machine: &'a str,
    pub(super) sftp: Arc<Sftp>,
}

impl Files<'_> {
    fn failed(
        &self,
        verb: &'static str,
        path: &Path,
    ) -> impl FnOnce(openssh_sftp_client::Error) -> Error + use<> {
        let (machine, path) = (self.machine.to_owned(), path.to_owned());
        move |error| failed(&machine, verb, &path, error)
    }

    fn refused(&self, verb: &str, path: &Path, why: &str) -> Error {
        let what = format!("cannot {verb} `{}` in `{}`", path.display(), self.machine);
        Error::new(ErrorKind::Host, what).because(why.to_owned())
    }

    /// Whether the other side is there.
    pub(super) async fn answers(&self) -> bool {
        match self.sftp.fs().metadata("/").await {
            Ok(_) => true,
            Err(error) => matches!(error, openssh_sftp_client::Error::SftpError(..)),
        }
    }

    pub(super) async fn stat(&self, path: &Path) -> Result<Option<FileStat>, Error> {
        match self.sftp.fs().symlink_metadata(path).await {
            Ok(meta) => Ok(Some(stat(&meta))),
            Err(error) if is_absent(&error) => Ok(None),
            // Below a file there is nothing; the server's word for that is only that it failed.
            Err(error) => match self.is_below_a_file(path).await {
                true => Ok(None),
                false => Err(self.failed("look at", path)(error)),
            },
        }
    }

    async fn is_below_a_file(&self, path: &Path) -> bool {
        for above in path.ancestors().skip(1) {
            if let Ok(meta) = self.sftp.fs().metadata(above).await {
                return !is_directory(&meta);
            }
        }
        false
    }

    pub(super) async fn read(&self, path: &Path) -> Result<Reader, Error> {
        let meta = self.sftp.fs().metadata(path).await.map_err(self.failed("read", path))?;
        match stat(&meta).kind {
            FileKind::File => {}
            FileKind::Directory => return Err(self.refused("read", path, "Is a directory")),
            _ => return Err(self.refused("read", path, "it is not a regular file")),
        }
        let file = self.sftp.open(path).await.map_err(self.failed("read", path))?;
        let piece = std::num::NonZeroUsize::new(PIECE).unwrap_or(std::num::NonZeroUsize::MIN);
        let file = Box::pin(TokioCompatFile::with_capacity(file, piece));
        Ok(Box::new(Held { file, _sftp: Arc::clone(&self.sftp) }))
    }

    pub(super) async fn write(
        &self,
        path: &Path,
        mode: Option<u32>,
        mut contents: Reader,
    ) -> Result<(), Error> {
        let mut fs = self.sftp.fs();
        // A link stays a link; what it leads to is replaced.
        let target = match fs.symlink_metadata(path).await {
            Ok(meta) if stat(&meta).kind == FileKind::Symlink => {
                fs.canonicalize(path).await.map_err(self.failed("write", path))?
            }
            _ => path.to_owned(),
        };
        let old = match fs.metadata(&target).await {
            Ok(meta) if is_directory(&meta) => return Err(self.refused("write", path, "Is a directory")),
            Ok(meta) => Some(stat(&meta)),
            Err(_) => None,
        };
        let (Some(directory), Some(name)) = (target.parent(), target.file_name()) else {
            return Err(self.refused("write", path, "it is not the name of a file"));
        };
        if old.is_none() {
            self.make_missing(&mut fs, directory).await.map_err(self.failed("write", path))?;
        }
        let temporary = directory.join(temporary(name)?);
        let written = self.fill(&temporary, mode, old.as_ref(), &mut contents).await;
        let written = match written {
            Ok(()) => fs.rename(&temporary, &target).await.map_err(Cut::Sftp),
            Err(cut) => Err(cut),
        };
        let Err(cut) = written else { return Ok(()) };
        // Whatever went wrong, half of a file is not left; what cannot be removed was never there.
        fs.remove_file(&temporary).await.ok();
        Err(match cut {
            Cut::Sftp(error) => self.failed("write", path)(error),
            Cut::Io(error) => self.refused("write", path, &error.to_string()),
        })
    }

    async fn fill(
        &self,
        temporary: &Path,
        mode: Option<u32>,
        old: Option<&FileStat>,
        contents: &mut Reader,
    ) -> Result<(), Cut> {
        let mut file = self.sftp.options().write(true).create_new(true).open(temporary).await?;
        // Nobody reads what is not yet whole.
        file.set_permissions(permissions(0o600)).await?;
        let mut file = Box::pin(TokioCompatFile::new(file));
        let mut piece = vec![0; PIECE];
        loop {
            let read = contents.read(&mut piece).await?;
            if read == 0 {
                break;
            }
            file.write_all(&piece[..read]).await?;
        }
        file.flush().await?;
        let whole = file.as_mut().as_mut_file().clone();
        // Closing is waited for only by the last one that holds it; and what is still open cannot be executed.
        drop(file);
        let mut file = whole;
        if let Some(FileStat { owner, .. }) = old {
            let owned = file.set_metadata(MetaDataBuilder::new().id(*owner).create()).await;
            // Who is not root cannot give files away; then it is that one's.
            owned.or_else(|error| if is_denied(&error) { Ok(()) } else { Err(error) })?;
        }
        let mode = mode.or(old.map(|old| old.mode)).unwrap_or(0o644);
        file.set_permissions(permissions(mode)).await?;
        if self.sftp.support_fsync() {
            file.sync_all().await?;
        }
        file.close().await?;
        Ok(())
    }

    pub(super) async fn read_dir(&self, path: &Path) -> Result<Vec<OsString>, Error> {
        let directory = self.sftp.fs().open_dir(path).await.map_err(self.failed("list", path))?;
        let names = directory.read_dir().map_ok(|entry| entry.filename().as_os_str().to_owned()).boxed();
        let mut names: Vec<_> = names.try_collect().await.map_err(self.failed("list", path))?;
        names.retain(|name| name != "." && name != "..");
        names.sort();
        Ok(names)
    }

    pub(super) async fn make_dir(&self, path: &Path, mode: Option<u32>) -> Result<(), Error> {
        let mut fs = self.sftp.fs();
        self.make_missing(&mut fs, path).await.map_err(self.failed("make", path))?;
        if let Some(mode) = mode {
            fs.set_permissions(path, permissions(mode)).await.map_err(self.failed("make", path))?;
        }
        Ok(())
    }

    /// Makes a directory and the missing ones above it.
    async fn make_missing(&self, fs: &mut Fs, path: &Path) -> Result<(), openssh_sftp_client::Error> {
        let mut missing: Vec<PathBuf> = Vec::new();
        for above in path.ancestors() {
            match fs.metadata(above).await {
                Ok(_) => break,
                Err(error) if is_absent(&error) => missing.push(above.to_owned()),
                Err(error) => return Err(error),
            }
        }
        for directory in missing.into_iter().rev() {
            let mut builder = fs.dir_builder();
            builder.permissions(permissions(0o755));
            if let Err(error) = builder.create(&directory).await {
                // Somebody else may have made it meanwhile.
                match fs.metadata(&directory).await {
                    Ok(meta) if is_directory(&meta) => {}
                    _ => return Err(error),
                }
            }
        }
        Ok(())
    }
}

/// Why a file was not written.
enum Cut {
    Sftp(openssh_sftp_client::Error),
    Io(std::io::Error),
}

impl From<openssh_sftp_client::Error> for Cut {
    fn from(error: openssh_sftp_client::Error) -> Self {
        Self::Sftp(error)
    }
}

impl From<std::io::Error> for Cut {
    fn from(error: std::io::Error) -> Self {
        Self::Io(error)
    }
}

/// A file that is read, and the channel by which it is.
struct Held {
    file: std::pin::Pin<Box<TokioCompatFile>>,
    _sftp: Arc<Sftp>,
}

impl tokio::io::AsyncRead for Held {
    fn poll_read(
        mut self: std::pin::Pin<&mut Self>,
        cx: &mut std::task::Context<'_>,
        buf: &mut tokio::io::ReadBuf<'_>,
    ) -> std::task::Poll<std::io::Result<()>> {
        self.file.as_mut().poll_read(cx, buf)
    }
}

/// A name beside a file, for what will replace it.
fn temporary(name: &std::ffi::OsStr) -> Result<String, Error> {
    let random = super::random()?;
    let short: String = name.to_string_lossy().chars().take(48).collect();
    Ok(format!(".{short}.carthage-{random}"))
}

fn permissions(mode: u32) -> Permissions {
    // Twelve bits fit.
    Permissions::from((mode & 0o7777) as u16)
}

fn is_directory(meta: &MetaData) -> bool {
    meta.file_type().is_some_and(|kind| kind.is_dir())
}

fn is_denied(error: &openssh_sftp_client::Error) -> bool {
    use openssh_sftp_client::error::SftpErrorKind;
    matches!(error, openssh_sftp_client::Error::SftpError(SftpErrorKind::PermDenied, _))
}

fn stat(meta: &MetaData) -> FileStat {
    let kind = match meta.file_type() {
        Some(kind) if kind.is_file() => FileKind::File,
        Some(kind) if kind.is_dir() => FileKind::Directory,
        Some(kind) if kind.is_symlink() => FileKind::Symlink,
        _ => FileKind::Other,
    };
    let mode = meta.permissions().map_or(0, |permissions| permissions.as_raw().bits());
    let owner = (meta.uid().unwrap_or_default(), meta.gid().unwrap_or_default());
    FileStat { kind, len: meta.len().unwrap_or_default(), mode: mode & 0o7777, owner }
}
