//! Files, both ways.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};

use carthage::ErrorKind;
use carthage::machine::engine::FileKind;

use super::{Named, cases, refused};
use crate::ground::Ground;

pub(super) fn cases() -> Vec<Named> {
    cases![files: of_every_size, modes, directories_that_are_missing, what_cannot_be_written, what_cannot_be_read, whole_directories, never_half]
}

async fn of_every_size(ground: Ground) -> carthage::Result<()> {
    let one = &ground.one;
    for size in [0_usize, 1, 65_536, 50 << 20] {
        let contents: Vec<u8> = (0..size).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
        one.write("/var/lib/file", &contents).await?;
        assert_eq!(one.stat("/var/lib/file").await?.map(|stat| stat.len), Some(size as u64));
        assert!(one.read("/var/lib/file").await? == contents, "{size} bytes");
        let (from, to) = (ground.scratch.join("from"), ground.scratch.join("to"));
        fs::write(&from, &contents)?;
        one.copy_in(&from, "/var/lib/copied").await?;
        one.copy_out("/var/lib/copied", &to).await?;
        assert!(fs::read(&to)? == contents, "{size} bytes");
    }
    Ok(())
}

async fn modes(ground: Ground) -> carthage::Result<()> {
    let one = &ground.one;
    let mode = async |path: &str| one.stat(path).await.unwrap().unwrap().mode & 0o7777;
    one.write("/srv/plain", "").await?;
    assert_eq!(mode("/srv/plain").await, 0o644);
    one.write_with_mode("/srv/private", 0o600, "old").await?;
    one.write("/srv/private", "new").await?;
    assert_eq!(mode("/srv/private").await, 0o600, "the old one's");
    one.write_with_mode("/srv/run", 0o755, "#!/bin/sh\necho ran\n").await?;
    assert_eq!(one.run(["/srv/run"]).await?.text(), "ran");
    let (local, back) = (ground.scratch.join("local"), ground.scratch.join("back"));
    fs::write(&local, "x")?;
    fs::set_permissions(&local, Permissions::from_mode(0o751))?;
    one.copy_in(&local, "/srv/local").await?;
    assert_eq!(mode("/srv/local").await, 0o751);
    one.copy_out("/srv/local", &back).await?;
    assert_eq!(fs::metadata(&back)?.mode() & 0o7777, 0o751);
    Ok(())
}

async fn directories_that_are_missing(ground: Ground) -> carthage::Result<()> {
    let one = &ground.one;
    one.write("/var/a/b/c/file", "deep").await?;
    assert_eq!(one.read_to_string("/var/a/b/c/file").await?, "deep");
    one.make_dir("/var/x/y").await?;
    one.make_dir("/var/x/y").await?;
    for name in ["z", "ü", "a b", ".hidden"] {
        one.write(format!("/var/x/y/{name}"), "").await?;
    }
    assert_eq!(one.read_dir("/var/x/y").await?, [".hidden", "a b", "z", "ü"]);
    one.remove("/var/x").await?;
    one.remove("/var/x").await?;
    assert!(!one.exists("/var/x/y").await?);
    Ok(())
}

async fn what_cannot_be_written(ground: Ground) -> carthage::Result<()> {
    let one = &ground.one;
    one.write("/srv/file", "stays").await?;
    for path in ["/srv", "/srv/file/below", "/proc/nothing", "/proc/sys/kernel/nothing/here"] {
        let error = one.write(path, "x").await.unwrap_err();
        let said = format!("{error:?}");
        assert!(said.contains(path), "{path}: {said}");
    }
    assert_eq!(one.read_to_string("/srv/file").await?, "stays");
    // Half of a copy is none.
    let error = one.copy_in(ground.scratch.join("nothing"), "/srv/file").await.unwrap_err();
    assert!(format!("{error:?}").contains("nothing"), "{error:?}");
    Ok(())
}

async fn what_cannot_be_read(ground: Ground) -> carthage::Result<()> {
    let one = &ground.one;
    let said = refused(one.read("/srv/nothing").await, ErrorKind::NotFound);
    assert!(said.contains("/srv/nothing"), "{said}");
    assert!(one.stat("/srv/nothing").await?.is_none());
    assert!(one.read("/srv").await.is_err() && one.read_dir("/etc/passwd").await.is_err());
    refused(one.copy_out("/srv/nothing", ground.scratch.join("x")).await, ErrorKind::NotFound);
    one.write("/srv/bytes", [0xff, 0xfe]).await?;
    assert!(one.read_to_string("/srv/bytes").await.is_err(), "it is no text");
    assert_eq!(one.stat("/proc").await?.map(|stat| stat.kind), Some(FileKind::Directory));
    one.run(["ln", "-s", "nowhere", "/srv/link"]).await?;
    assert_eq!(one.stat("/srv/link").await?.map(|stat| stat.kind), Some(FileKind::Symlink));
    Ok(())
}

async fn whole_directories(ground: Ground) -> carthage::Result<()> {
    let one = &ground.one;
    let tree = ground.scratch.join("tree");
    fs::create_dir_all(tree.join("sub/empty"))?;
    fs::write(tree.join("sub/run"), "run")?;
    fs::set_permissions(tree.join("sub/run"), Permissions::from_mode(0o755))?;
    for number in 0..100 {
        fs::write(tree.join(format!("file {number}")), number.to_string())?;
    }
    symlink("sub/run", tree.join("link"))?;
    one.copy_in(&tree, "/srv/tree").await?;
    assert_eq!(one.read_to_string("/srv/tree/file 42").await?, "42");
    assert_eq!(one.read_to_string("/srv/tree/link").await?, "run");
    assert_eq!(one.stat("/srv/tree/sub/empty").await?.map(|stat| stat.kind), Some(FileKind::Directory));
    let back = ground.scratch.join("back");
    one.copy_out("/srv/tree", &back).await?;
    assert_eq!(fs::read_dir(&back)?.count(), 102);
    assert_eq!(fs::metadata(back.join("sub/run"))?.mode() & 0o7777, 0o755);
    assert!(back.join("sub/empty").is_dir());
    Ok(())
}

/// Whoever looks sees the old contents or the new.
async fn never_half(ground: Ground) -> carthage::Result<()> {
    let one = &ground.one;
    let (old, new) = ("o".repeat(1 << 20), "n".repeat(1 << 20));
    one.write("/srv/file", &old).await?;
    let writing = async {
        for number in 0..20 {
            one.write("/srv/file", if number % 2 == 0 { &new } else { &old }).await?;
        }
        Ok::<_, carthage::BoxError>(())
    };
    let reading = async {
        for _ in 0..40 {
            let seen = one.read_to_string("/srv/file").await?;
            assert!(seen == old || seen == new, "{} bytes", seen.len());
        }
        Ok::<_, carthage::BoxError>(())
    };
    tokio::try_join!(writing, reading)?;
    // Nothing of the writing is left beside it.
    assert_eq!(
        one.read_dir("/srv").await?.iter().filter(|name| name.to_string_lossy().contains("file")).count(),
        1
    );
    Ok(())
}
