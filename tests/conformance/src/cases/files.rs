//! Files, both ways.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};

use carthage::ErrorKind;
use carthage::machine::engine::FileKind;

use super::{Case, cases, refused};
use crate::ground::Ground;

pub(super) fn cases() -> Vec<Case> {
    cases![open files: of_every_size [FileTree], modes [FileTree], directories_that_are_missing [FileTree], what_was_written_runs [FileTree], what_cannot_be_written [FileTree], what_cannot_be_read [FileTree], whole_directories [FileTree], never_half [FileTree]]
}

async fn of_every_size(ground: Ground) -> carthage::Result<()> {
    let one = &ground.one;
    let at = |below: &str| ground.path(below);
    for size in [0_usize, 1, 65_536, 50 << 20] {
        let contents: Vec<u8> = (0..size).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
        one.write(at("file"), &contents).await?;
        assert_eq!(one.stat(at("file")).await?.map(|stat| stat.len), Some(size as u64));
        assert!(one.read(at("file")).await? == contents, "{size} bytes");
        let (from, to) = (ground.scratch.join("from"), ground.scratch.join("to"));
        fs::write(&from, &contents)?;
        one.copy_in(&from, at("copied")).await?;
        one.copy_out(at("copied"), &to).await?;
        assert!(fs::read(&to)? == contents, "{size} bytes");
    }
    Ok(())
}

/// A program that is still open for writing anywhere cannot be run.
async fn what_was_written_runs(ground: Ground) -> carthage::Result<()> {
    let program = ground.path("program");
    for number in 0..20 {
        ground.one.write_with_mode(&program, 0o755, format!("#!/bin/sh\necho {number}\n")).await?;
        assert_eq!(ground.one.run([&program]).await?.text(), number.to_string());
    }
    Ok(())
}

async fn modes(ground: Ground) -> carthage::Result<()> {
    let one = &ground.one;
    let at = |below: &str| ground.path(below);
    let mode = async |path: &str| one.stat(at(path)).await.unwrap().unwrap().mode & 0o7777;
    one.write(at("plain"), "").await?;
    assert_eq!(mode("plain").await, 0o644);
    one.write_with_mode(at("private"), 0o600, "old").await?;
    one.write(at("private"), "new").await?;
    assert_eq!(mode("private").await, 0o600, "the old one's");
    one.write_with_mode(at("run"), 0o755, "#!/bin/sh\necho ran\n").await?;
    assert_eq!(one.run([at("run")]).await?.text(), "ran");
    let (local, back) = (ground.scratch.join("local"), ground.scratch.join("back"));
    fs::write(&local, "x")?;
    fs::set_permissions(&local, Permissions::from_mode(0o751))?;
    one.copy_in(&local, at("local")).await?;
    assert_eq!(mode("local").await, 0o751);
    one.copy_out(at("local"), &back).await?;
    assert_eq!(fs::metadata(&back)?.mode() & 0o7777, 0o751);
    Ok(())
}

async fn directories_that_are_missing(ground: Ground) -> carthage::Result<()> {
    let one = &ground.one;
    let at = |below: &str| ground.path(below);
    one.write(at("a/b/c/file"), "deep").await?;
    assert_eq!(one.read_to_string(at("a/b/c/file")).await?, "deep");
    one.make_dir(at("x/y")).await?;
    one.make_dir(at("x/y")).await?;
    for name in ["z", "ü", "a b", ".hidden"] {
        one.write(at(&format!("x/y/{name}")), "").await?;
    }
    assert_eq!(one.read_dir(at("x/y")).await?, [".hidden", "a b", "z", "ü"]);
    one.remove(at("x")).await?;
    one.remove(at("x")).await?;
    assert!(!one.exists(at("x/y")).await?);
    Ok(())
}

async fn what_cannot_be_written(ground: Ground) -> carthage::Result<()> {
    let one = &ground.one;
    let at = |below: &str| ground.path(below);
    one.write(at("file"), "stays").await?;
    for path in [&at(""), &at("file/below"), "/proc/nothing", "/proc/sys/kernel/nothing/here"] {
        let path = path.trim_end_matches('/');
        let error = one.write(path, "x").await.unwrap_err();
        let said = format!("{error:?}");
        assert!(said.contains(path), "{path}: {said}");
    }
    assert_eq!(one.read_to_string(at("file")).await?, "stays");
    // Half of a copy is none.
    let error = one.copy_in(ground.scratch.join("nothing"), at("file")).await.unwrap_err();
    assert!(format!("{error:?}").contains("nothing"), "{error:?}");
    Ok(())
}

async fn what_cannot_be_read(ground: Ground) -> carthage::Result<()> {
    let one = &ground.one;
    let at = |below: &str| ground.path(below);
    let said = refused(one.read(at("nothing")).await, ErrorKind::NotFound);
    assert!(said.contains(&at("nothing")), "{said}");
    assert!(one.stat(at("nothing")).await?.is_none());
    assert!(one.read(&ground.base).await.is_err() && one.read_dir("/etc/passwd").await.is_err());
    refused(one.copy_out(at("nothing"), ground.scratch.join("x")).await, ErrorKind::NotFound);
    one.write(at("bytes"), [0xff, 0xfe]).await?;
    assert!(one.read_to_string(at("bytes")).await.is_err(), "it is no text");
    assert_eq!(one.stat("/proc").await?.map(|stat| stat.kind), Some(FileKind::Directory));
    one.run(["ln", "-s", "nowhere", &at("link")]).await?;
    assert_eq!(one.stat(at("link")).await?.map(|stat| stat.kind), Some(FileKind::Symlink));
    Ok(())
}

async fn whole_directories(ground: Ground) -> carthage::Result<()> {
    let one = &ground.one;
    let at = |below: &str| ground.path(below);
    let tree = ground.scratch.join("tree");
    fs::create_dir_all(tree.join("sub/empty"))?;
    fs::write(tree.join("sub/run"), "run")?;
    fs::set_permissions(tree.join("sub/run"), Permissions::from_mode(0o755))?;
    for number in 0..100 {
        fs::write(tree.join(format!("file {number}")), number.to_string())?;
    }
    symlink("sub/run", tree.join("link"))?;
    one.copy_in(&tree, at("tree")).await?;
    assert_eq!(one.read_to_string(at("tree/file 42")).await?, "42");
    assert_eq!(one.read_to_string(at("tree/link")).await?, "run");
    assert_eq!(one.stat(at("tree/sub/empty")).await?.map(|stat| stat.kind), Some(FileKind::Directory));
    let back = ground.scratch.join("back");
    one.copy_out(at("tree"), &back).await?;
    assert_eq!(fs::read_dir(&back)?.count(), 102);
    assert_eq!(fs::metadata(back.join("sub/run"))?.mode() & 0o7777, 0o755);
    assert!(back.join("sub/empty").is_dir());
    Ok(())
}

/// Whoever looks sees the old contents or the new.
async fn never_half(ground: Ground) -> carthage::Result<()> {
    let one = &ground.one;
    let at = |below: &str| ground.path(below);
    let (old, new) = ("o".repeat(1 << 20), "n".repeat(1 << 20));
    one.write(at("file"), &old).await?;
    let writing = async {
        for number in 0..20 {
            one.write(at("file"), if number % 2 == 0 { &new } else { &old }).await?;
        }
        Ok::<_, carthage::BoxError>(())
    };
    let reading = async {
        for _ in 0..40 {
            let seen = one.read_to_string(at("file")).await?;
            assert!(seen == old || seen == new, "{} bytes", seen.len());
        }
        Ok::<_, carthage::BoxError>(())
    };
    tokio::try_join!(writing, reading)?;
    // Nothing of the writing is left beside it.
    assert_eq!(
        one.read_dir(&ground.base)
            .await?
            .iter()
            .filter(|name| name.to_string_lossy().contains("file"))
            .count(),
        1
    );
    Ok(())
}
