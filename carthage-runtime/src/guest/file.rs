//! Files in a guest, by its shell.

use std::ffi::OsString;
use std::io;
use std::os::unix::ffi::OsStringExt;
use std::path::Path;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncSeekExt, ReadBuf};

use super::frame::{First, Framed};
use super::quote::Line;
use super::script::{Answer, FILE, Started, Trouble};
use super::{Guest, random_id};
use crate::error::{Error, ErrorKind};
use crate::machine::engine::{FileKind, FileStat, HostEntry, Reader, Writer};

/// What is longer is not kept in memory on its way.
const IN_MEMORY: u64 = 1 << 20;

impl Guest {
    /// What is at this path; see [`Engine::stat`](crate::machine::engine::Engine::stat).
    ///
    /// # Errors
    /// When that cannot be told.
    pub async fn stat(&self, path: &Path) -> Result<Option<FileStat>, Error> {
        let answer = self.file("look at", path, Line::default().set("operation", "stat"), None).await?;
        let text = String::from_utf8_lossy(&answer.stdout);
        if text.trim().is_empty() {
            return Ok(None);
        }
        parse_stat(text.trim()).map(Some).ok_or_else(|| self.no_shell(&text))
    }

    /// Reads a file from its beginning.
    ///
    /// # Errors
    /// When there is none, or it cannot be read.
    pub async fn read(&self, path: &Path) -> Result<Reader, Error> {
        let line = Line::default().set("operation", "read").set("path", path);
        let started = self.start(&FILE, &random_id()?, line, false).await?;
        let Started { first, stdin, stdout, stderr, keep, home: _ } = started;
        match first {
            First::Ok(_) => Ok(Box::new(Contents { stdout, _stderr: stderr, _keep: (stdin, keep) })),
            First::Fail(reason) => Err(self.file_failed("read", path, &reason)),
            First::End(said) | First::None(said) => Err(self.no_shell(&said)),
        }
    }

    /// Writes a file as a whole; see [`Engine::write`](crate::machine::engine::Engine::write).
    ///
    /// # Errors
    /// When it cannot be written; the old one stays.
    pub async fn write(&self, path: &Path, mode: Option<u32>, contents: Reader) -> Result<(), Error> {
        let failed = || Error::host(format!("cannot read what `{}` is to hold", path.display()));
        let (length, contents) = measured(contents).await.map_err(failed())?;
        let line = Line::default().set("operation", "write").set("length", length.to_string());
        let answer = self.file("write", path, line.set("mode", octal(mode)), Some(contents)).await?;
        match answer.status {
            0 => Ok(()),
            _ => Err(self.file_failed("write", path, &format!("other {}", answer.message))),
        }
    }

    /// The names in a directory, sorted.
    ///
    /// # Errors
    /// When there is no directory.
    pub async fn read_dir(&self, path: &Path) -> Result<Vec<OsString>, Error> {
        let answer = self.file("list", path, Line::default().set("operation", "list"), None).await?;
        let names = answer.stdout.split(|byte| *byte == 0).filter(|name| !name.is_empty());
        let mut names: Vec<_> = names.map(|name| OsString::from_vec(name.to_vec())).collect();
        names.sort();
        Ok(names)
    }

    /// Makes a directory and the missing ones above it.
    ///
    /// # Errors
    /// When it cannot be made.
    pub async fn make_dir(&self, path: &Path, mode: Option<u32>) -> Result<(), Error> {
        let line = Line::default().set("operation", "directory").set("mode", octal(mode));
        self.file("make", path, line, None).await.map(drop)
    }

    /// Removes a file or a whole directory; no error if there is nothing.
    ///
    /// # Errors
    /// When it cannot be removed.
    pub async fn remove_path(&self, path: &Path) -> Result<(), Error> {
        self.file("remove", path, Line::default().set("operation", "remove"), None).await.map(drop)
    }

    /// Writes names into `/etc/hosts`, in place of those of the last time; what else stands there stays.
    ///
    /// # Errors
    /// When it cannot be written.
    pub async fn set_hosts(&self, hosts: &[HostEntry]) -> Result<(), Error> {
        let line = Line::default().set("operation", "hosts").set("hosts", lines_of(hosts));
        self.file("write", Path::new("/etc/hosts"), line, None).await.map(drop)
    }

    async fn file(
        &self,
        verb: &str,
        path: &Path,
        line: Line,
        input: Option<Reader>,
    ) -> Result<Answer, Error> {
        if !path.is_absolute() {
            let what = format!("cannot {verb} `{}` in `{}`", path.display(), self.machine());
            return Err(Error::new(ErrorKind::Usage, what).because("the path is not absolute"));
        }
        self.run(&FILE, line.set("path", path), input).await.map_err(|trouble| match trouble {
            Trouble::Said(reason) => self.file_failed(verb, path, &reason),
            Trouble::Lost(error) => error,
        })
    }

    fn file_failed(&self, verb: &str, path: &Path, reason: &str) -> Error {
        let what = format!("cannot {verb} `{}` in `{}`", path.display(), self.machine());
        match reason.split_once(' ').unwrap_or((reason, "")) {
            ("missing", _) => Error::new(ErrorKind::NotFound, what).because("No such file or directory"),
            ("directory", _) => Error::new(ErrorKind::Host, what).because("Is a directory"),
            ("file", _) => Error::new(ErrorKind::Host, what).because("Not a directory"),
            ("denied", _) => Error::new(ErrorKind::Host, what).because("Permission denied"),
            (_, "") => Error::new(ErrorKind::Host, what).because("its contents did not arrive"),
            (_, why) => Error::new(ErrorKind::Host, what).because(why.to_owned()),
        }
    }
}

/// The lines of `/etc/hosts` that say these names.
pub(crate) fn lines_of(hosts: &[HostEntry]) -> String {
    hosts
        .iter()
        .fold(String::new(), |text, host| text + &format!("{}\t{}\n", host.address, host.names.join(" ")))
}

/// What is read, and how long it is.
async fn measured(contents: Reader) -> io::Result<(u64, Reader)> {
    let mut small = Vec::new();
    let mut limited = contents.take(IN_MEMORY + 1);
    limited.read_to_end(&mut small).await?;
    let length = small.len() as u64;
    if length <= IN_MEMORY {
        return Ok((length, Box::new(io::Cursor::new(small))));
    }
    let file = tokio::task::spawn_blocking(tempfile::tempfile).await.map_err(io::Error::other)??;
    let mut file = tokio::fs::File::from_std(file);
    let mut all = io::Cursor::new(small).chain(limited.into_inner());
    let length = tokio::io::copy(&mut all, &mut file).await?;
    file.rewind().await?;
    Ok((length, Box::new(file)))
}

fn octal(mode: Option<u32>) -> String {
    mode.map(|mode| format!("{:o}", mode & 0o7777)).unwrap_or_default()
}

/// `stat -c '%f %s %u %g'`
fn parse_stat(text: &str) -> Option<FileStat> {
    let mut fields = text.split(' ');
    let mode = u32::from_str_radix(fields.next()?, 16).ok()?;
    let kind = match mode & 0o170_000 {
        0o100_000 => FileKind::File,
        0o040_000 => FileKind::Directory,
        0o120_000 => FileKind::Symlink,
        _ => FileKind::Other,
    };
    let len = fields.next()?.parse().ok()?;
    let owner = (fields.next()?.parse().ok()?, fields.next()?.parse().ok()?);
    Some(FileStat { kind, len, mode: mode & 0o7777, owner })
}

/// The contents of a file on their way.
struct Contents {
    stdout: Framed,
    _stderr: Framed,
    _keep: (Writer, Box<dyn std::any::Any + Send>),
}

impl AsyncRead for Contents {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        ready!(Pin::new(&mut self.stdout).poll_read(cx, buf))?;
        match self.stdout.end() {
            Some(end) if end != "0" && buf.filled().len() == before => {
                Poll::Ready(Err(io::Error::other("it could not be read to its end")))
            }
            _ => Poll::Ready(Ok(())),
        }
    }
}
