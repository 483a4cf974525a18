//! The image that a machine's container is made from.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bollard::errors::Error as Failure;
use bollard::models::{CreateImageInfo, ImageSummary};
use bollard::query_parameters::{
    CreateImageOptionsBuilder, ListContainersOptionsBuilder, ListImagesOptionsBuilder,
    RemoveImageOptionsBuilder,
};
use futures_util::StreamExt;
use tokio::sync::{Mutex, OnceCell};

use super::client::{Client, found, is_gone_meanwhile};
use super::import::{self, Source};
use super::names::Names;
use super::turn::Turn;
use crate::error::{Error, ErrorKind};
use crate::event::{Event, Events};
use crate::machine::engine::MachineSpec;

/// The images of this run. What several machines are made from is fetched or imported once.
#[derive(Debug)]
pub(super) struct Images {
    ready: Mutex<HashMap<String, Arc<OnceCell<String>>>>,
    events: Events,
}

impl Images {
    /// None so far. How far fetching has come is told to `events`.
    pub(super) fn new(events: Events) -> Self {
        Self { ready: Mutex::default(), events }
    }

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
        let cell = Arc::clone(self.ready.lock().await.entry(key).or_default());
        let make = async || match (&source, &spec.image) {
            (Some(source), _) => import::ready(client, names, source).await,
            (None, Some(reference)) => self.pulled(client, reference, &spec.name).await,
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

    /// An image by its reference, fetched for this machine if it is not there.
    async fn pulled(&self, client: &Client, reference: &str, machine: &str) -> Result<String, Error> {
        let failed = || format!("cannot look for the image `{reference}`");
        if found(client.docker.inspect_image(reference).await).map_err(client.failed(failed()))?.is_some() {
            return Ok(reference.to_owned());
        }
        let whole = with_tag(reference);
        let tell = |text: String| {
            self.events.send(Event::Progress { thing: format!("machine:{machine}"), text });
        };
        tell(format!("fetching {whole}"));
        let mut layers = Layers::default();
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
            if let Some(text) = layers.changed(step) {
                tell(format!("fetching {whole}: {text}"));
            }
        }
        Ok(reference.to_owned())
    }
}

/// The layers of an image that is fetched, and whether each is there.
#[derive(Debug, Default)]
struct Layers(BTreeMap<String, bool>);

impl Layers {
    /// How many are there, if what the engine says changes that.
    fn changed(&mut self, step: CreateImageInfo) -> Option<String> {
        let (id, status) = (step.id?, step.status?);
        // The tag has a line of its own, and is no layer.
        if status.starts_with("Pulling from") {
            return None;
        }
        let is_there = ["Download complete", "Pull complete", "Already exists"].contains(&status.as_str());
        let before = self.0.get(&id).copied();
        self.0.insert(id, is_there || before == Some(true));
        let count = self.0.values().filter(|is_there| **is_there).count();
        let is_news = before.is_none() || (is_there && before == Some(false));
        is_news.then(|| format!("{count} of {} layers", self.0.len()))
    }
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
///
/// Sites of other users change the images at the same time: one may be in use by a container that goes, or lose its other tag.
pub(super) async fn remove_unused(client: &Client, names: &Names) -> Result<(), Error> {
    let all = all(client).await.map_err(client.failed("cannot list the engine's images"))?;
    if !all.iter().flat_map(|image| &image.repo_tags).any(|tag| is_tag_of(names, tag)) {
        return Ok(());
    }
    let _turn = Turn::take(client).await?;
    let deadline = Instant::now() + PATIENCE;
    loop {
        let Some((tag, failure)) = remove_once(client, names).await? else { return Ok(()) };
        if Instant::now() > deadline {
            let error = Error::new(ErrorKind::Host, format!("cannot remove the image `{tag}`"));
            return Err(match failure {
                Some(failure) => client.failed(error.to_string())(failure),
                None => error.because("the engine lists it and does not find it"),
            });
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// Tries to remove each; answers one that may be removed when it is tried again, and what the engine says of it.
async fn remove_once(client: &Client, names: &Names) -> Result<Option<(String, Option<Failure>)>, Error> {
    let images = all(client).await.map_err(client.failed("cannot list the engine's images"))?;
    let mut left = None;
    for image in &images {
        for tag in image.repo_tags.iter().filter(|tag| is_tag_of(names, tag)) {
            let options = RemoveImageOptionsBuilder::new().build();
            match found(client.docker.remove_image(tag, Some(options), None).await) {
                Ok(Some(_)) => {}
                // Podman also says so when another image goes at the same time.
                Ok(None) => left = Some((tag.clone(), None)),
                Err(failure) if client.dialect.is_in_use(&failure) => {
                    // A container that somebody made from it keeps it, unless it has the tag of another site, too.
                    let stays = is_used(client, &image.id).await? && !shares(client, tag, &image.id).await?;
                    left = (!stays).then(|| (tag.clone(), Some(failure))).or(left);
                }
                Err(failure) => {
                    return Err(client.failed(format!("cannot remove the image `{tag}`"))(failure));
                }
            }
        }
    }
    Ok(left)
}

/// Whether the image has another tag than this one now.
async fn shares(client: &Client, tag: &str, id: &str) -> Result<bool, Error> {
    let images = all(client).await.map_err(client.failed("cannot list the engine's images"))?;
    Ok(images.iter().any(|image| image.id == id && image.repo_tags.iter().any(|other| other != tag)))
}

/// Whether there is a container that was made from the image.
async fn is_used(client: &Client, id: &str) -> Result<bool, Error> {
    let options = ListContainersOptionsBuilder::new().all(true).build();
    let containers = client.docker.list_containers(Some(options)).await;
    let containers = containers.map_err(client.failed("cannot list the engine's containers"))?;
    Ok(containers.iter().any(|container| container.image_id.as_deref() == Some(id)))
}

/// All images of the engine.
pub(super) async fn all(client: &Client) -> Result<Vec<ImageSummary>, Failure> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let options = ListImagesOptionsBuilder::new().build();
        match client.docker.list_images(Some(options)).await {
            Err(failure) if is_gone_meanwhile(&failure) && Instant::now() < deadline => {
                tokio::time::sleep(PAUSE).await;
            }
            listed => return listed,
        }
    }
}

/// How long it is tried again when others change the engine's images at the same time, and how often.
const PATIENCE: Duration = Duration::from_secs(10);
const PAUSE: Duration = Duration::from_millis(20);

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
    fn layers_are_counted_once() {
        let mut layers = Layers::default();
        let mut told = |id: &str, status: &str| {
            let (id, status) = (Some(id.to_owned()), Some(status.to_owned()));
            layers.changed(CreateImageInfo { id, status, ..CreateImageInfo::default() })
        };
        assert_eq!(told("12", "Pulling from library/debian"), None);
        assert_eq!(told("a", "Pulling fs layer").unwrap(), "0 of 1 layers");
        assert_eq!(told("b", "Already exists").unwrap(), "1 of 2 layers");
        assert_eq!(told("a", "Downloading"), None);
        assert_eq!(told("a", "Download complete").unwrap(), "2 of 2 layers");
        assert_eq!(told("a", "Extracting"), None);
        assert_eq!(told("a", "Pull complete"), None);
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
