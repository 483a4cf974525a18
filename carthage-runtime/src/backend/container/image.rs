//! The image that a machine's container is made from.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bollard::models::ImageSummary;
use bollard::query_parameters::{
    CreateImageOptionsBuilder, ListImagesOptionsBuilder, RemoveImageOptionsBuilder,
};
use futures_util::StreamExt;
use tokio::sync::{Mutex, OnceCell};

use super::client::{Client, found};
use super::import::{self, Source};
use super::names::Names;
use crate::error::{Error, ErrorKind};
use crate::machine::engine::MachineSpec;

/// The images of this run. What several machines are made from is fetched or imported once.
#[derive(Debug, Default)]
pub(super) struct Images(Mutex<HashMap<String, Arc<OnceCell<String>>>>);

impl Images {
    /// The image for a machine, as the engine is asked for it. Fetched or imported if it is not there.
    pub(super) async fn ready(
        &self,
        client: &Client,
        names: &Names,
        spec: &MachineSpec,
    ) -> Result<String, Error> {
        let (key, source) = match (&spec.root, spec.image.as_deref()) {
            (Some(root), None) => (format!("root {}", root.display()), Some(Source::Tree(root.clone()))),
            (None, Some(path)) if path.starts_with('/') => {
                (format!("archive {path}"), Some(Source::Archive(PathBuf::from(path))))
            }
            (None, Some(reference)) => (format!("image {reference}"), None),
            (Some(_), Some(_)) => {
                let what = format!("`{}` cannot be made from both `root` and `image`", spec.name);
                return Err(Error::new(ErrorKind::Usage, what).hint("remove one of them from its model"));
            }
            (None, None) => {
                let what = format!("nothing says what the container of `{}` is made from", spec.name);
                return Err(Error::new(ErrorKind::Usage, what).hint(
                    "write `image = \"docker.io/library/debian:12\"` or `root = \"…\"` in its `#[machine_model(…)]`",
                ));
            }
        };
        let cell = Arc::clone(self.0.lock().await.entry(key).or_default());
        let make = async || match (&source, &spec.image) {
            (Some(source), _) => import::ready(client, names, source).await,
            (None, Some(reference)) => pulled(client, reference).await,
            (None, None) => Err(Error::new(ErrorKind::Usage, "no image")),
        };
        let image = cell.get_or_try_init(make).await?.clone();
        // Somebody may have removed it since.
        let there = found(client.docker.inspect_image(&image).await);
        match there.map_err(client.failed(format!("cannot look for the image `{image}`")))? {
            Some(_) => Ok(image),
            None => make().await,
        }
    }
}

/// An image by its reference, fetched if it is not there.
async fn pulled(client: &Client, reference: &str) -> Result<String, Error> {
    let failed = || format!("cannot look for the image `{reference}`");
    if found(client.docker.inspect_image(reference).await).map_err(client.failed(failed()))?.is_some() {
        return Ok(reference.to_owned());
    }
    let whole = with_tag(reference);
    tracing::info!(image = whole, "fetching an image");
    let options = CreateImageOptionsBuilder::new().from_image(&whole).build();
    let mut told = client.patient().create_image(Some(options), None, None);
    while let Some(step) = told.next().await {
        let step = step.map_err(|failure| {
            let what = format!("the image `{reference}` is not there and cannot be fetched");
            let hint = format!(
                "make it known to the engine: `{} pull {whole}` where there is a network, or `load` an archive of it; \
                 or name a directory (`root = \"…\"`) or an archive (`image = \"/…\"`) in the model",
                client.dialect.program()
            );
            client.failed(what)(failure).hint(hint)
        })?;
        tracing::debug!(image = whole, layer = step.id, status = step.status, "fetching");
    }
    Ok(reference.to_owned())
}

/// A reference with the tag that is meant: without one, Docker would fetch them all.
fn with_tag(reference: &str) -> String {
    let last = reference.rsplit('/').next().unwrap_or(reference);
    match last.contains(':') || last.contains('@') {
        true => reference.to_owned(),
        false => format!("{reference}:latest"),
    }
}

/// Removes what this site has imported and nothing uses.
pub(super) async fn remove_unused(client: &Client, names: &Names) -> Result<(), Error> {
    let failed = "cannot list the engine's images";
    let options = ListImagesOptionsBuilder::new().build();
    let images = client.docker.list_images(Some(options)).await.map_err(client.failed(failed))?;
    let tags = images.iter().flat_map(|image| &image.repo_tags).filter(|tag| is_tag_of(names, tag));
    for tag in tags {
        let options = RemoveImageOptionsBuilder::new().build();
        match found(client.docker.remove_image(tag, Some(options), None).await) {
            Err(failure) if !client.dialect.is_in_use(&failure) => {
                return Err(client.failed(format!("cannot remove the image `{tag}`"))(failure));
            }
            _ => {}
        }
    }
    Ok(())
}

/// Whether it is a tag that this site gave to what it imported.
fn is_tag_of(names: &Names, tag: &str) -> bool {
    tag.rsplit_once(':').is_some_and(|(repository, tag)| {
        tag == names.tag() && repository.rsplit('/').nth(1) == Some("carthage")
    })
}

/// The image in whose repository contents of this hash are, whoever put them there.
pub(super) fn of_hash<'a>(images: &'a [ImageSummary], hash: &str) -> Option<&'a ImageSummary> {
    let repository = Names::image(hash);
    images.iter().find(|image| {
        image.repo_tags.iter().any(|tag| {
            let name = tag.rsplit_once(':').map_or(tag.as_str(), |(name, _)| name);
            Path::new(name).ends_with(&repository)
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags() {
        assert_eq!(with_tag("debian"), "debian:latest");
        assert_eq!(with_tag("host:5000/debian"), "host:5000/debian:latest");
        assert_eq!(with_tag("host:5000/debian:12"), "host:5000/debian:12");
        assert_eq!(with_tag("debian@sha256:00"), "debian@sha256:00");
    }

    #[test]
    fn images_of_a_hash() {
        let image = |tag: &str| ImageSummary { repo_tags: vec![tag.to_owned()], ..ImageSummary::default() };
        let images = [image("debian:12"), image("localhost/carthage/abc:site")];
        assert_eq!(of_hash(&images, "abc"), Some(&images[1]));
        assert_eq!(of_hash(&images, "ab"), None);
        assert_eq!(of_hash(&[image("carthage/abc:site")], "abc"), Some(&image("carthage/abc:site")));
    }
}
