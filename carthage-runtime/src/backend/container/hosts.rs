//! The names that a machine can reach, written from this host: into the file that the engine has mounted as `/etc/hosts`.
//!
//! A shell in the container does the same, but starting one takes Podman as long as starting the container.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;

use super::life::Container;
use crate::error::Error;
use crate::guest::lines_of;
use crate::machine::engine::HostEntry;

/// What stands before and after our lines; the guest's script `file.sh` knows them, too.
const BEGIN: &[u8] = b"# carthage begin";
const END: &[u8] = b"# carthage end";

/// Writes names in place of those of the last time; what else stands there stays. `false` if that cannot be done from here.
pub(super) async fn write(container: &Container, machine: &str, hosts: &[HostEntry]) -> Result<bool, Error> {
    let (Some(path), Some(pid)) = (container.inspected.hosts_path.clone(), container.pid()) else {
        return Ok(false);
    };
    let ours = lines_of(hosts);
    let write = move || {
        let Some(mut file) = open(Path::new(&path), pid) else { return Ok(false) };
        let mut old = Vec::new();
        file.read_to_end(&mut old)?;
        let new = with(&old, &ours);
        if new != old {
            // In place: it is mounted.
            file.rewind()?;
            file.write_all(&new)?;
            file.set_len(new.len() as u64)?;
        }
        Ok(true)
    };
    let written = tokio::task::spawn_blocking(write).await.map_err(io::Error::other).flatten();
    written.map_err(Error::host(format!("cannot write `/etc/hosts` in `{machine}`")))
}

/// The file, if it is on this host, may be written, and is what the container has as `/etc/hosts`: the image or the model may
/// have mounted another there, and the engine may be on another host after all.
fn open(path: &Path, pid: i64) -> Option<File> {
    let file =
        OpenOptions::new().read(true).write(true).custom_flags(nix::libc::O_NOFOLLOW).open(path).ok()?;
    let (here, there) = (file.metadata().ok()?, fs::metadata(format!("/proc/{pid}/root/etc/hosts")).ok()?);
    let is_same = here.is_file() && (here.dev(), here.ino()) == (there.dev(), there.ino());
    is_same.then_some(file)
}

/// The file with these lines of ours in place of the old ones, to the letter as the guest's script writes it.
fn with(old: &[u8], ours: &str) -> Vec<u8> {
    let (mut rest, mut inside) = (Vec::new(), false);
    for line in old.split(|byte| *byte == b'\n') {
        match (inside, line) {
            (false, BEGIN) => inside = true,
            (false, line) => {
                rest.extend_from_slice(line);
                rest.push(b'\n');
            }
            (true, END) => inside = false,
            (true, _) => {}
        }
    }
    rest.truncate(rest.iter().rposition(|byte| *byte != b'\n').map_or(0, |last| last + 1));
    [&rest[..], b"\n", BEGIN, b"\n", ours.as_bytes(), END, b"\n"].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_lines_change() {
        let first = with(b"127.0.0.1\tlocalhost\n\n", "10.0.0.1\ta\n");
        let text = "127.0.0.1\tlocalhost\n# carthage begin\n10.0.0.1\ta\n# carthage end\n";
        assert_eq!(String::from_utf8_lossy(&first), text);
        assert_eq!(with(&first, "10.0.0.1\ta\n"), first);
        let more = [&first[..], b"10.9.9.9\tmine\n"].concat();
        let text = "127.0.0.1\tlocalhost\n10.9.9.9\tmine\n# carthage begin\n# carthage end\n";
        assert_eq!(String::from_utf8_lossy(&with(&more, "")), text);
        assert_eq!(with(b"", ""), b"\n# carthage begin\n# carthage end\n");
    }
}
