//! Files of a container that does not run, by the engine's archives.

use std::collections::{BTreeSet, HashMap};
use std::ffi::OsString;
use std::io::{self, Read, SeekFrom};
use std::os::unix::ffi::OsStringExt;
use std::path::{Component, Path, PathBuf};

use bollard::query_parameters::{
    ContainerArchiveInfoOptionsBuilder, DownloadFromContainerOptionsBuilder, UploadToContainerOptionsBuilder,
};
use futures_util::{StreamExt, TryStreamExt};
use tokio::io::AsyncSeekExt;

use super::client::{Client, found};
use super::create::text;
use super::wire;
use crate::error::{Error, ErrorKind};
use crate::machine::engine::{FileKind, FileStat, Reader};

/// How many links are followed from one to the next.
const LINKS: usize = 40;

/// The bit of a link in a mode as the engines' language writes it.
const GO_SYMLINK: u32 = 1 << 27;

/// A stopped container.
#[derive(Clone, Debug)]
pub(super) struct Offline {
    pub(super) client: Client,
    /// What errors call it.
    pub(super) machine: String,
    /// The container's id.
    pub(super) id: String,
}

/// What is at a path, and where it leads if it is a link.
struct Found {
    stat: FileStat,
    target: Option<PathBuf>,
}

impl Offline {
    pub(super) async fn stat(&self, path: &Path) -> Result<Option<FileStat>, Error> {
        self.look_whose("look at", path).await
    }

    /// The same as [`look`](Self::look), with the owner even where that costs an archive of the whole root.
    async fn look_whose(&self, verb: &str, path: &Path) -> Result<Option<FileStat>, Error> {
        let Some(Found { mut stat, .. }) = self.look(verb, path).await? else { return Ok(None) };
        if !self.client.dialect.archives_are_exact() {
            let stream = Box::pin(self.client.patient().export_container(&self.id));
            let path = path.to_owned();
            let failed = self.failed(verb, &path);
            let owner = tokio::task::spawn_blocking(move || owner(wire::incoming(stream), &path)).await;
            stat.owner = owner.map_err(io::Error::other).flatten().map_err(Error::host(failed))?;
        }
        Ok(Some(stat))
    }

    pub(super) async fn read(&self, path: &Path) -> Result<Reader, Error> {
        let path = self.followed("read", path).await?;
        let failed = self.failed("read", &path);
        match self.look("read", &path).await?.map(|found| found.stat.kind) {
            None => return Err(self.missing("read", &path)),
            Some(FileKind::Directory) => {
                return Err(Error::new(ErrorKind::Host, failed).because("Is a directory"));
            }
            Some(_) => {}
        }
        let stream = self.download(&path)?;
        let (sender, reader) = wire::reader(wire::WAITING);
        tokio::task::spawn_blocking(move || {
            let copied = (|| {
                let mut archive = tar::Archive::new(wire::incoming(stream));
                let mut entry = archive.entries()?.next().ok_or(io::ErrorKind::NotFound)??;
                let mut buffer = vec![0; 64 * 1024];
                loop {
                    match entry.read(&mut buffer)? {
                        0 => return Ok(()),
                        // Nobody wants the rest.
                        len if sender.blocking_send(Ok(buffer[..len].to_vec())).is_err() => return Ok(()),
                        _ => {}
                    }
                }
            })();
            if let Err(error) = copied {
                sender.blocking_send(Err(error)).ok();
            }
        });
        Ok(reader)
    }

    pub(super) async fn write(&self, path: &Path, mode: Option<u32>, contents: Reader) -> Result<(), Error> {
        let path = self.followed("write", path).await?;
        let failed = self.failed("write", &path);
        let old = self.look_whose("write", &path).await?;
        if old.as_ref().is_some_and(|old| old.kind == FileKind::Directory) {
            return Err(Error::new(ErrorKind::Host, failed).because("Is a directory"));
        }
        let mode = mode.or(old.as_ref().map(|old| old.mode)).unwrap_or(0o644);
        let owner = old.map_or((0, 0), |old| old.owner);
        // How long it is has to be said before it.
        let kept = tokio::task::spawn_blocking(tempfile::tempfile).await.map_err(io::Error::other).flatten();
        let mut kept = tokio::fs::File::from_std(kept.map_err(Error::host(failed.clone()))?);
        let mut contents = contents;
        let keep = async {
            let len = tokio::io::copy(&mut contents, &mut kept).await?;
            kept.seek(SeekFrom::Start(0)).await?;
            Ok::<_, io::Error>((len, kept.into_std().await))
        };
        let (len, file) = keep.await.map_err(Error::host(failed))?;
        let (above, name) = match (path.parent(), path.file_name()) {
            (Some(above), Some(name)) => (above, Path::new(name)),
            _ => return Err(self.missing("write", &path)),
        };
        let (base, missing) = self.deepest("write", above).await?;
        let inside = missing.iter().last().map_or_else(|| name.to_owned(), |dir| dir.join(name));
        self.upload("write", &path, &base, move |archive| {
            directories(archive, &missing, None)?;
            archive.append_data(&mut header(tar::EntryType::Regular, len, mode, owner), inside, file)
        })
        .await
    }

    pub(super) async fn read_dir(&self, path: &Path) -> Result<Vec<OsString>, Error> {
        let path = self.followed("list", path).await?;
        let failed = self.failed("list", &path);
        match self.look("list", &path).await?.map(|found| found.stat.kind) {
            None => return Err(self.missing("list", &path)),
            Some(FileKind::Directory) => {}
            Some(_) => return Err(Error::new(ErrorKind::Host, failed).because("Not a directory")),
        }
        let stream = self.download(&path)?;
        let list = move || {
            let mut names = BTreeSet::new();
            let mut archive = tar::Archive::new(wire::incoming(stream));
            for entry in archive.entries()? {
                // The directory itself is the first part of every name.
                let entry = entry?.path()?.into_owned();
                let parts = entry.components().filter(|part| matches!(part, Component::Normal(_)));
                let parts: Vec<_> = parts.map(|part| part.as_os_str().to_owned()).collect();
                let top = usize::from(path != Path::new("/"));
                names.extend(parts.get(top).cloned());
            }
            Ok(names.into_iter().collect())
        };
        tokio::task::spawn_blocking(list)
            .await
            .map_err(io::Error::other)
            .flatten()
            .map_err(Error::host(failed))
    }

    pub(super) async fn make_dir(&self, path: &Path, mode: Option<u32>) -> Result<(), Error> {
        let (base, missing) = self.deepest("make", path).await?;
        if missing.is_empty() {
            // It exists: only its mode may have to change.
            let (Some(mode), Some(above), Some(name)) = (mode, base.parent(), base.file_name()) else {
                return Ok(());
            };
            let owner = self.look_whose("make", &base).await?.map_or((0, 0), |stat| stat.owner);
            let name = PathBuf::from(name);
            return self
                .upload("make", path, above, move |archive| {
                    let mut header = header(tar::EntryType::Directory, 0, mode, owner);
                    archive.append_data(&mut header, name, io::empty())
                })
                .await;
        }
        self.upload("make", path, &base, move |archive| directories(archive, &missing, mode)).await
    }

    /// What is at a path. A link is not followed.
    async fn look(&self, verb: &str, path: &Path) -> Result<Option<Found>, Error> {
        if path.components().next() != Some(Component::RootDir) {
            return Err(
                Error::new(ErrorKind::Usage, self.failed(verb, path)).because("the path is not absolute")
            );
        }
        if path == Path::new("/") {
            let stat = FileStat { kind: FileKind::Directory, len: 0, mode: 0o755, owner: (0, 0) };
            return Ok(Some(Found { stat, target: None }));
        }
        if !self.client.dialect.archives_are_exact() {
            let options = ContainerArchiveInfoOptionsBuilder::new().path(&text(path)?).build();
            let asked = self.client.docker.get_container_archive_info(&self.id, Some(options)).await;
            let info = found(asked).map_err(self.client.failed(self.failed(verb, path)))?;
            match info {
                None => return Ok(None),
                Some(info) if info.file_mode & GO_SYMLINK != 0 => {
                    let len = u64::try_from(info.size).unwrap_or_default();
                    let stat = FileStat { kind: FileKind::Symlink, len, mode: 0o777, owner: (0, 0) };
                    return Ok(Some(Found { stat, target: Some(PathBuf::from(info.link_target)) }));
                }
                Some(_) => {}
            }
        }
        let mut stream = self.download(path)?;
        // Whether there is anything is known when the first piece has come.
        let first = found(stream.try_next().await).map_err(self.client.failed(self.failed(verb, path)))?;
        let Some(Some(first)) = first else { return Ok(None) };
        let stream = futures_util::stream::iter([Ok(first)]).chain(stream);
        let head = move || {
            let mut archive = tar::Archive::new(wire::incoming(stream));
            let entry = archive.entries()?.next().ok_or(io::ErrorKind::UnexpectedEof)??;
            let header = entry.header();
            let kind = match header.entry_type() {
                tar::EntryType::Directory => FileKind::Directory,
                tar::EntryType::Symlink => FileKind::Symlink,
                tar::EntryType::Regular | tar::EntryType::Link | tar::EntryType::GNUSparse => FileKind::File,
                _ => FileKind::Other,
            };
            let number = |number: u64| u32::try_from(number).map_err(io::Error::other);
            let stat = FileStat {
                kind,
                len: entry.size(),
                mode: header.mode()? & 0o7777,
                owner: (number(header.uid()?)?, number(header.gid()?)?),
            };
            let target = entry.link_name_bytes().filter(|_| kind == FileKind::Symlink);
            let target = target.map(|name| PathBuf::from(OsString::from_vec(name.into_owned())));
            Ok(Found { stat, target })
        };
        let looked = tokio::task::spawn_blocking(head).await.map_err(io::Error::other).flatten();
        looked.map(Some).map_err(Error::host(self.failed(verb, path)))
    }

    /// Where a path leads in the end, if it is a link.
    async fn followed(&self, verb: &str, path: &Path) -> Result<PathBuf, Error> {
        let mut path = path.to_owned();
        for _ in 0..LINKS {
            match self.look(verb, &path).await?.and_then(|found| found.target) {
                None => return Ok(path),
                Some(target) => path = within(path.parent().unwrap_or(Path::new("/")), &target),
            }
        }
        Err(Error::new(ErrorKind::Host, self.failed(verb, &path))
            .because("too many links lead to each other"))
    }

    /// The deepest directory on the way to this one that exists, and those that do not, as paths within it.
    async fn deepest(&self, verb: &str, dir: &Path) -> Result<(PathBuf, Vec<PathBuf>), Error> {
        let mut names = Vec::new();
        let mut base = dir.to_owned();
        loop {
            let at = self.followed(verb, &base).await?;
            match self.look(verb, &at).await?.map(|found| found.stat.kind) {
                Some(FileKind::Directory) => {
                    let below =
                        names.iter().rev().scan(PathBuf::new(), |path: &mut PathBuf, name: &OsString| {
                            path.push(name);
                            Some(path.clone())
                        });
                    return Ok((at, below.collect()));
                }
                Some(_) => {
                    return Err(Error::new(ErrorKind::Host, self.failed(verb, dir))
                        .because(format!("{}: Not a directory", base.display())));
                }
                None => {}
            }
            match (base.parent(), base.file_name()) {
                (Some(above), Some(name)) => {
                    names.push(name.to_owned());
                    base = above.to_owned();
                }
                _ => return Err(self.missing(verb, dir)),
            }
        }
    }

    fn download(
        &self,
        path: &Path,
    ) -> Result<
        impl futures_util::Stream<Item = Result<impl AsRef<[u8]> + Send + 'static, bollard::errors::Error>>
        + Send
        + Unpin
        + 'static,
        Error,
    > {
        let options = DownloadFromContainerOptionsBuilder::new().path(&text(path)?).build();
        Ok(Box::pin(self.client.patient().download_from_container(&self.id, Some(options))))
    }

    /// Has the engine unpack in `base` what is written.
    async fn upload(
        &self,
        verb: &str,
        path: &Path,
        base: &Path,
        write: impl FnOnce(&mut tar::Builder<&wire::Outgoing>) -> io::Result<()> + Send + 'static,
    ) -> Result<(), Error> {
        let failed = self.failed(verb, path);
        let (out, body) = wire::body();
        let packing = tokio::task::spawn_blocking(move || {
            let mut archive = tar::Builder::new(&out);
            let packed = write(&mut archive).and_then(|()| archive.into_inner().map(drop));
            if let Err(error) = &packed {
                out.fail(error);
            }
            packed
        });
        let options = UploadToContainerOptionsBuilder::new().path(&text(base)?).build();
        let body = bollard::body_try_stream(body.map_ok(Into::into));
        let sent = self.client.patient().upload_to_container(&self.id, Some(options), body).await;
        let packed = packing.await.map_err(io::Error::other).flatten();
        sent.map_err(self.client.failed(failed.clone()))?;
        packed.map_err(Error::host(failed))
    }

    fn failed(&self, verb: &str, path: &Path) -> String {
        format!("cannot {verb} `{}` in `{}`", path.display(), self.machine)
    }

    fn missing(&self, verb: &str, path: &Path) -> Error {
        Error::new(ErrorKind::NotFound, self.failed(verb, path)).because("No such file or directory")
    }
}

/// Whose a path is in the archive of a whole root, in which links stand for themselves.
fn owner(root: impl Read, path: &Path) -> io::Result<(u32, u32)> {
    let (mut owners, mut links) = (HashMap::new(), HashMap::new());
    for entry in tar::Archive::new(root).entries()? {
        let entry = entry?;
        let at = within(Path::new("/"), &entry.path()?);
        let number = |number: u64| u32::try_from(number).map_err(io::Error::other);
        owners.insert(at.clone(), (number(entry.header().uid()?)?, number(entry.header().gid()?)?));
        if let (tar::EntryType::Symlink, Some(target)) = (entry.header().entry_type(), entry.link_name()?) {
            links.insert(at, target.into_owned());
        }
    }
    let (mut dir, mut followed) = (PathBuf::from("/"), 0);
    // What is still to be gone through, the next at the end. The last part of the path itself is not followed.
    let mut rest: Vec<OsString> = parts(path);
    while let Some(name) = rest.pop() {
        let at = within(&dir, Path::new(&name));
        match links.get(&at).filter(|_| !rest.is_empty() && followed < LINKS) {
            Some(target) => {
                followed += 1;
                rest.extend(parts(&within(&dir, target)));
                dir = PathBuf::from("/");
            }
            None => dir = at,
        }
    }
    // What is not there is what the engine has made itself.
    Ok(owners.get(&dir).copied().unwrap_or_default())
}

/// The names in an absolute path, the last first.
fn parts(path: &Path) -> Vec<OsString> {
    let names = path.components().filter_map(|part| match part {
        Component::Normal(name) => Some(name.to_owned()),
        _ => None,
    });
    names.rev().collect()
}

/// What a link in this directory leads to.
fn within(dir: &Path, target: &Path) -> PathBuf {
    let mut path = PathBuf::from("/");
    for part in dir.join(target).components() {
        match part {
            Component::ParentDir => {
                path.pop();
            }
            Component::Normal(name) => path.push(name),
            _ => {}
        }
    }
    path
}

fn header(kind: tar::EntryType, len: u64, mode: u32, owner: (u32, u32)) -> tar::Header {
    let mut header = tar::Header::new_gnu();
    header.set_entry_type(kind);
    header.set_size(len);
    header.set_mode(mode);
    header.set_uid(owner.0.into());
    header.set_gid(owner.1.into());
    header
}

/// Directories one below the other, the last with this mode.
fn directories(
    archive: &mut tar::Builder<&wire::Outgoing>,
    paths: &[PathBuf],
    mode: Option<u32>,
) -> io::Result<()> {
    for (at, path) in paths.iter().enumerate() {
        let mode = mode.filter(|_| at + 1 == paths.len()).unwrap_or(0o755);
        archive.append_data(&mut header(tar::EntryType::Directory, 0, mode, (0, 0)), path, io::empty())?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn owners_are_found_behind_links() {
        let mut root = tar::Builder::new(Vec::new());
        root.append_data(&mut header(tar::EntryType::Directory, 0, 0o755, (0, 0)), "srv", io::empty())
            .unwrap();
        root.append_data(&mut header(tar::EntryType::Regular, 0, 0o644, (12, 34)), "srv/file", io::empty())
            .unwrap();
        root.append_link(&mut header(tar::EntryType::Symlink, 0, 0o777, (5, 6)), "way", "/srv").unwrap();
        let root = root.into_inner().unwrap();
        for (path, whose) in
            [("/srv/file", (12, 34)), ("/way/file", (12, 34)), ("/way", (5, 6)), ("/none", (0, 0))]
        {
            assert_eq!(owner(&root[..], Path::new(path)).unwrap(), whose, "{path}");
        }
    }

    #[test]
    fn links_stay_within_the_root() {
        let within =
            |dir: &str, target: &str| within(Path::new(dir), Path::new(target)).display().to_string();
        assert_eq!(within("/var", "run"), "/var/run");
        assert_eq!(within("/var", "/run"), "/run");
        assert_eq!(within("/var/lib", "../../../../etc/./x"), "/etc/x");
    }
}
