//! Images from a directory or an archive of this host: imported once, and known by the hash of their contents.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use bollard::query_parameters::{
    CreateImageOptionsBuilder, ImportImageOptionsBuilder, RemoveImageOptionsBuilder, TagImageOptionsBuilder,
};
use futures_util::{StreamExt, TryStreamExt};

use super::client::{Client, found};
use super::image::{self, of_hash};
use super::names::Names;
use super::turn::Turn;
use super::{tree, wire};
use crate::error::{Error, ErrorKind};

/// What an image is made from.
#[derive(Clone, Debug)]
pub(super) enum Source {
    /// A directory that is a root.
    Tree(PathBuf),
    /// An archive: of a root, or what `docker save` writes.
    Archive(PathBuf),
}

impl Source {
    fn path(&self) -> &Path {
        match self {
            Self::Tree(path) | Self::Archive(path) => path,
        }
    }

    fn hash(&self) -> io::Result<String> {
        match self {
            Self::Tree(path) => tree::hash(path),
            Self::Archive(path) => tree::file_hash(path),
        }
    }
}

/// The image with these contents, with this site's tag; imported if it is not there.
pub(super) async fn ready(client: &Client, names: &Names, source: &Source) -> Result<String, Error> {
    let path = source.path().display().to_string();
    if source.path() == Path::new("/") {
        let what = "the root of this host cannot be the root of a container";
        return Err(Error::new(ErrorKind::Usage, what).hint("name a directory that was made for it"));
    }
    let what = format!("cannot read `{path}`, which an image is to be made from");
    let hash = off(what.clone(), {
        let source = source.clone();
        move || source.hash()
    })
    .await?;
    let (repository, tag) = (Names::image(&hash), names.tag());
    let image = format!("{repository}:{tag}");
    let failed = || client.failed(format!("cannot make an image from `{path}`"));
    let known = |image: String| async move {
        Ok::<_, Error>(found(client.docker.inspect_image(&image).await).map_err(failed())?.is_some())
    };
    if known(image.clone()).await? {
        return Ok(image);
    }
    let turn = Turn::take(client).await?;
    let all = image::all(client).await.map_err(failed())?;
    let (id, extra) = match of_hash(&all, &hash) {
        Some(image) => (image.id.clone(), Vec::new()),
        None => match source {
            Source::Tree(root) => (import_tree(client, root).await?, Vec::new()),
            Source::Archive(file) => match off(what, {
                let file = file.clone();
                move || saved_tags(&file)
            })
            .await?
            {
                None => (import_archive(client, file).await?, Vec::new()),
                Some(tags) => {
                    let mut new = Vec::new();
                    for tag in tags {
                        if !known(tag.clone()).await? {
                            new.push(tag);
                        }
                    }
                    (load(client, file).await?, new)
                }
            },
        },
    };
    let options = TagImageOptionsBuilder::new().repo(&repository).tag(tag).build();
    if found(client.docker.tag_image(&id, Some(options)).await).map_err(failed())?.is_none() {
        // It was another site's, which has removed it meanwhile.
        drop(turn);
        return Box::pin(ready(client, names, source)).await;
    }
    for tag in extra {
        // The name that the archive brought with it is not ours to leave behind.
        let options = RemoveImageOptionsBuilder::new().build();
        found(client.docker.remove_image(&tag, Some(options), None).await).map_err(failed())?;
    }
    drop(turn);
    Ok(image)
}

/// Does something that blocks, away from the threads of the runtime.
async fn off<T: Send + 'static>(
    what: String,
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> Result<T, Error> {
    let done = tokio::task::spawn_blocking(work).await.map_err(io::Error::other).flatten();
    done.map_err(Error::host(what))
}

async fn import_tree(client: &Client, root: &Path) -> Result<String, Error> {
    let (out, body) = wire::body();
    let tree = root.to_owned();
    let packing = tokio::task::spawn_blocking(move || {
        let packed = tree::pack(&tree, &out);
        if let Err(error) = &packed {
            out.fail(error);
        }
        packed
    });
    let imported = import(client, root, body).await;
    match packing.await.map_err(io::Error::other).flatten() {
        // If the engine gave up, it knows better why.
        Err(error) if imported.is_ok() || error.kind() != io::ErrorKind::BrokenPipe => Err(Error::host(
            format!("cannot read `{}`, which an image is to be made from", root.display()),
        )(error)),
        _ => imported,
    }
}

async fn import_archive(client: &Client, file: &Path) -> Result<String, Error> {
    import(client, file, contents(file).await?).await
}

/// Has the engine make an image of an archive of a root; answers its id.
async fn import<S>(client: &Client, from: &Path, body: S) -> Result<String, Error>
where
    S: futures_util::Stream<Item = io::Result<Vec<u8>>> + Send + 'static,
{
    let what = format!("cannot make an image from `{}`", from.display());
    let options = CreateImageOptionsBuilder::new().from_src("-").build();
    let body = bollard::body_try_stream(body.map_ok(Into::into));
    let told = wire::drained(client.patient().create_image(Some(options), Some(body), None)).await;
    let told = told.map_err(client.failed(what.clone()))?;
    let id =
        told.iter().rev().find_map(|step| step.status.as_deref().filter(|word| word.starts_with("sha256:")));
    id.map(str::to_owned)
        .ok_or_else(|| Error::new(ErrorKind::Host, what).because("the engine does not say which"))
}

/// Has the engine load what `docker save` wrote; answers the id or the name of the first image in it.
async fn load(client: &Client, file: &Path) -> Result<String, Error> {
    let what = format!("cannot load the images in `{}`", file.display());
    let body = bollard::body_try_stream(contents(file).await?.map_ok(Into::into));
    let options = ImportImageOptionsBuilder::new().build();
    let told = wire::drained(client.patient().import_image(options, body, None)).await;
    let told = told.map_err(client.failed(what.clone()))?;
    let text: String = told.into_iter().filter_map(|step| step.stream).collect();
    let name = text.lines().find_map(|line| {
        let rest = line.trim().strip_prefix("Loaded image")?;
        rest.split_once(": ").map(|(_, name)| name.split(',').next().unwrap_or(name).trim().to_owned())
    });
    name.ok_or_else(|| Error::new(ErrorKind::Host, what).because("the engine does not say which"))
}

/// A file, piece by piece.
async fn contents(
    path: &Path,
) -> Result<impl futures_util::Stream<Item = io::Result<Vec<u8>>> + Send + Unpin + 'static, Error> {
    let what = format!("cannot read `{}`, which an image is to be made from", path.display());
    let mut file = off(what, {
        let path = path.to_owned();
        move || File::open(path)
    })
    .await?;
    let (out, body) = wire::body();
    tokio::task::spawn_blocking(move || {
        if let Err(error) = io::copy(&mut file, &mut &out) {
            out.fail(&error);
        }
    });
    Ok(body.boxed())
}

/// The names of the images in what `docker save` wrote; `None` if it is something else. Reads the heads of its entries only.
fn saved_tags(path: &Path) -> io::Result<Option<Vec<String>>> {
    let mut archive = tar::Archive::new(File::open(path)?);
    // What is compressed, or no archive at all, is the engine's to judge.
    let Ok(entries) = archive.entries_with_seek() else { return Ok(None) };
    for entry in entries {
        let Ok(mut entry) = entry else { return Ok(None) };
        if entry.path_bytes().as_ref() == b"manifest.json" {
            let mut text = String::new();
            entry.read_to_string(&mut text)?;
            let manifest: serde_json::Value = serde_json::from_str(&text).unwrap_or_default();
            let images = manifest.as_array().into_iter().flatten();
            let tags = images.filter_map(|image| image.get("RepoTags")?.as_array()).flatten();
            return Ok(Some(tags.filter_map(|tag| tag.as_str().map(str::to_owned)).collect()));
        }
    }
    Ok(None)
}
