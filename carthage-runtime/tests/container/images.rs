//! What containers are made from.

use std::process::Command;

use carthage_runtime::BoxError;
use carthage_runtime::ErrorKind;
use carthage_runtime::machine::engine::MachineSpec;

use super::support::{GRACE, Outcome, TestSite, copy_of_root, has, root};

fn tar(arguments: &[&str]) -> Outcome {
    let status = Command::new("tar").args(arguments).status()?;
    if status.success() { Ok(()) } else { Err("tar failed".into()) }
}

async fn tags(site: &TestSite) -> Result<Vec<String>, BoxError> {
    let options = bollard::query_parameters::ListImagesOptionsBuilder::new().build();
    let images = site.client.list_images(Some(options)).await?;
    Ok(images.into_iter().flat_map(|image| image.repo_tags).filter(|tag| tag.ends_with(&site.id)).collect())
}

/// An archive of a root, compressed or not.
pub(crate) async fn archives(site: TestSite) -> Outcome {
    let (root, plain) = (root().display().to_string(), site.directory.join("root.tar").display().to_string());
    let packed = site.directory.join("root.tar.gz").display().to_string();
    tar(&["-C", &root, "-cf", &plain, "."])?;
    tar(&["-C", &root, "-czf", &packed, "."])?;
    for (name, image) in [("one", plain), ("two", packed)] {
        let machine = MachineSpec { root: None, image: Some(image), ..site.machine(name, 2, &[]) };
        site.up(&[&machine]).await?;
        assert_eq!(site.sh_ok(&machine, "hostname").await?, format!("{name}\n"));
    }
    assert_eq!(tags(&site).await?.len(), 2);
    Ok(())
}

/// An image that only a registry has is fetched; one that no registry has is an error that says what to do.
pub(crate) async fn fetched(site: TestSite) -> Outcome {
    // Of its own, so that no other test has a layer of it.
    let root = site.directory.join("root");
    copy_of_root(&root)?;
    std::fs::write(root.join("page"), &site.directory.to_string_lossy()[..])?;
    let first = MachineSpec { root: Some(root), ..site.machine("first", 2, &[]) };
    site.engine.create(&first).await?;
    let image = site.client.inspect_container(&site.container(&first), None).await?.image.unwrap();
    let repository = format!("{}/page-{}", std::env::var("CARTHAGE_TEST_REGISTRY")?, &site.id[..8]);
    let reference = format!("{repository}:1");
    let options = bollard::query_parameters::TagImageOptionsBuilder::new().repo(&repository).tag("1").build();
    site.client.tag_image(&image, Some(options)).await?;
    let options = bollard::query_parameters::PushImageOptionsBuilder::new().tag("1").build();
    let mut pushed = site.client.push_image(&repository, Some(options), None);
    while let Some(step) = futures_util::StreamExt::next(&mut pushed).await {
        step?;
    }
    let remove =
        || site.client.remove_image(&reference, None::<bollard::query_parameters::RemoveImageOptions>, None);
    remove().await?;
    // Without what it was made from, the engine has nothing of it.
    site.engine.clear().await?;
    let (one, two) = (site.machine("one", 3, &[]), site.machine("two", 4, &[]));
    let made_of = |image: &str, spec| MachineSpec { root: None, image: Some(image.to_owned()), ..spec };
    let (one, two) = (made_of(&reference, one), made_of(&reference, two));
    // Both at once: it is fetched once.
    let (of_one, of_two) = ([&one], [&two]);
    tokio::try_join!(site.up(&of_one), site.up(&of_two))?;
    assert_eq!(site.sh_ok(&two, "hostname").await?, "two\n");
    let told = site.told.text();
    assert_eq!(told.matches(&format!("fetching {reference}\"")).count(), 1, "{told}");
    has(&told, "1 of 1 layers")?;
    for machine in [&one, &two] {
        site.engine.stop(machine, GRACE).await?;
        site.engine.remove(machine).await?;
    }
    // It is the user's, and not ours to remove.
    assert!(site.client.inspect_image(&reference).await.is_ok());
    remove().await?;
    let never = made_of(&format!("{repository}:never"), site.machine("three", 5, &[]));
    let error = site.engine.create(&never).await.unwrap_err();
    let said = carthage_runtime::chain(&error);
    has(&said, "is not there and cannot be fetched")?;
    has(&said, "unknown")?;
    has(error.next_step().unwrap(), &format!("pull {repository}:never"))
}

/// What `docker save` writes. The name in it does not stay behind.
pub(crate) async fn saved_images(site: TestSite) -> Outcome {
    let first = site.machine("first", 2, &[]);
    site.engine.create(&first).await?;
    let image = site.client.inspect_container(&site.container(&first), None).await?.image.unwrap();
    let name = format!("localhost/saved-{}", &site.id[..8]);
    let options = bollard::query_parameters::TagImageOptionsBuilder::new().repo(&name).tag("1").build();
    site.client.tag_image(&image, Some(options)).await?;
    let saved = site.directory.join("saved.tar");
    let mut parts = site.client.export_image(&format!("{name}:1"));
    let mut bytes = Vec::new();
    while let Some(part) = futures_util::StreamExt::next(&mut parts).await {
        bytes.extend_from_slice(&part?);
    }
    std::fs::write(&saved, bytes)?;
    site.engine.remove(&first).await?;
    site.client
        .remove_image(&format!("{name}:1"), None::<bollard::query_parameters::RemoveImageOptions>, None)
        .await?;
    let saved = saved.display().to_string();
    let machine = MachineSpec { root: None, image: Some(saved), ..site.machine("m", 2, &[]) };
    site.up(&[&machine]).await?;
    assert_eq!(site.sh_ok(&machine, "hostname").await?, "m\n");
    assert!(
        site.client.inspect_image(&format!("{name}:1")).await.is_err(),
        "the name in the archive is not left"
    );
    // By reference it is there, and nothing is fetched.
    let repository = tags(&site).await?.remove(0);
    let options = bollard::query_parameters::TagImageOptionsBuilder::new().repo(&name).tag("2").build();
    site.client.tag_image(&repository, Some(options)).await?;
    let other = MachineSpec { root: None, image: Some(format!("{name}:2")), ..site.machine("n", 3, &[]) };
    site.up(&[&other]).await?;
    site.engine.clear().await?;
    site.client.inspect_image(&format!("{name}:2")).await?;
    site.client
        .remove_image(&format!("{name}:2"), None::<bollard::query_parameters::RemoveImageOptions>, None)
        .await?;
    Ok(())
}

pub(crate) async fn missing(site: TestSite) -> Outcome {
    let nothing = MachineSpec { root: None, ..site.machine("m", 2, &[]) };
    let error = site.engine.create(&nothing).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Usage);
    let unreachable = "127.0.0.1:9/carthage/missing:1";
    let machine = MachineSpec { image: Some(unreachable.into()), ..nothing.clone() };
    let error = site.engine.create(&machine).await.unwrap_err();
    has(&format!("{error:?}"), "is not there and cannot be fetched")?;
    has(error.next_step().unwrap(), &format!("pull {unreachable}"))?;
    let wrong = site.directory.join("wrong.tar").display().to_string();
    std::fs::write(&wrong, vec![b'x'; 4096])?;
    for image in ["/nonexistent/image.tar", &wrong] {
        let machine = MachineSpec { image: Some(image.into()), ..nothing.clone() };
        has(&format!("{:?}", site.engine.create(&machine).await.unwrap_err()), image)?;
    }
    let machine = MachineSpec { root: Some("/nonexistent/root".into()), ..nothing };
    has(&format!("{:?}", site.engine.create(&machine).await.unwrap_err()), "/nonexistent/root")?;
    Ok(())
}

/// The same contents are imported once, wherever they are, and kept as long as somebody uses them.
pub(crate) async fn once_for_all(site: TestSite) -> Outcome {
    let root = site.directory.join("root");
    copy_of_root(&root)?;
    std::fs::write(root.join("word"), &site.id)?;
    let same = site.directory.join("same");
    let status = Command::new("cp").arg("-a").arg(&root).arg(&same).status()?;
    assert!(status.success());
    let machines: Vec<_> = (2..8)
        .map(|number| MachineSpec {
            root: Some(if number % 2 == 0 { root.clone() } else { same.clone() }),
            ..site.machine(&format!("m{number}"), number, &[])
        })
        .collect();
    let made = machines.iter().map(|machine| site.engine.create(machine));
    for made in futures_util::future::join_all(made).await {
        made?;
    }
    let tags = tags(&site).await?;
    assert_eq!(tags.len(), 1, "{tags:?}");
    std::fs::write(root.join("word"), "changed")?;
    Ok(())
}
