//! Disks: layers over images, and further ones.

use std::process::Command;

use carthage_runtime::ErrorKind;

use super::support::{GRACE, Outcome, TestSite, file, has};

/// Size in sectors of 512 bytes of the disks after the root.
const SIZES: &str = "cat /sys/block/vdb/size /sys/block/vdc/size 2>/dev/null | tr '\\n' ' '";

/// The image may be a layer itself, and stays as it is.
pub(crate) async fn layers(site: TestSite) -> Outcome {
    let image = site.directory.join("image.qcow2");
    let mut create = Command::new("qemu-img");
    create.args(["create", "-q", "-f", "qcow2", "-F", "raw", "-b"]).arg(file("IMAGE")).arg(&image);
    assert!(create.status()?.success());
    let before = std::fs::read(&image)?;
    let mut machine = site.machine("m");
    machine.image = Some(image.to_str().unwrap().to_owned());
    site.up(&machine).await?;
    site.sh(&machine, "echo mine >/root/mark && sync").await?;
    site.engine.stop(&machine, GRACE).await?;
    site.engine.start(&machine).await?;
    assert_eq!(site.sh(&machine, "cat /root/mark").await?, "mine");
    assert!(std::fs::read(&image)? == before, "the image was written to");
    site.engine.stop(&machine, GRACE).await?;
    site.engine.remove(&machine).await?;
    site.up(&machine).await?;
    assert_eq!(site.sh(&machine, "cat /root/mark 2>/dev/null || echo new").await?, "new");
    Ok(())
}

/// Disks become larger and more, with what is on them; none becomes smaller.
pub(crate) async fn grown(site: TestSite) -> Outcome {
    let mut machine = site.machine("m");
    machine.disk_sizes = vec![1];
    site.up(&machine).await?;
    assert_eq!(site.sh(&machine, SIZES).await?, "2097152 ".trim_end());
    site.sh(&machine, "echo data | dd of=/dev/vdb conv=fsync 2>/dev/null").await?;
    site.engine.stop(&machine, GRACE).await?;
    machine.disk_sizes = vec![2, 1];
    site.engine.start(&machine).await?;
    assert_eq!(site.sh(&machine, SIZES).await?, "4194304 2097152");
    assert_eq!(site.sh(&machine, "head -c 4 /dev/vdb").await?, "data");
    site.engine.stop(&machine, GRACE).await?;
    machine.disk_sizes = vec![1, 1];
    let error = site.engine.start(&machine).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    has(&error.to_string(), "disk 1 of `m.lab` cannot become smaller")?;
    has(error.next_step().unwrap(), "leave `disk_sizes` as it was")?;
    Ok(())
}

/// Disks of one machine are not those of another whose name begins alike.
pub(crate) async fn kept_apart(site: TestSite) -> Outcome {
    let (one, mut other) = (site.machine("m"), site.machine("m.lab"));
    site.up(&one).await?;
    site.engine.stop(&one, GRACE).await?;
    other.links.clear();
    site.engine.create(&other).await?;
    site.engine.remove(&other).await?;
    site.engine.start(&one).await?;
    assert_eq!(site.sh(&one, "hostname").await?, "m");
    Ok(())
}
