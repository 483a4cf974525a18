//! Images of disks: what is in a file that a model names.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use super::xml::{Backing, Medium};
use crate::error::{Error, ErrorKind};

/// Formats that QEMU knows and a disk cannot be a layer over without being told so, by how they begin.
const STRANGE: &[(&[u8], &str)] = &[
    (b"KDMV", "a VMDK"),
    (b"vhdxfile", "a VHDX"),
    (b"conectix", "a VPC"),
    (b"<<< ", "a VDI"),
    (b"\x1f\x8b", "compressed"),
    (b"\xfd7zXZ", "compressed"),
];

/// An image: what a disk is a layer over, and how many bytes the disk has.
pub(super) fn look(image: &str) -> Result<(Backing, u64), Error> {
    let path = Path::new(image);
    if !path.is_absolute() {
        return Err(Error::new(
            ErrorKind::Usage,
            format!("the image `{image}` is not named by its whole path"),
        )
        .hint("write `image = \"/…\"`, or let it begin with a variable: `image = \"$HOME/…\"`"));
    }
    let (medium, size) = read(path).map_err(|error| {
        let kind = match error.kind() {
            io::ErrorKind::NotFound => ErrorKind::NotFound,
            io::ErrorKind::InvalidData => ErrorKind::Unsupported,
            _ => ErrorKind::Host,
        };
        let error = Error::new(kind, format!("the image `{image}` cannot be used")).because(error);
        match kind {
            ErrorKind::Unsupported => {
                error.hint(format!("convert it: `qemu-img convert -O qcow2 {image} NEW.qcow2`"))
            }
            _ => error.hint(
                "name a file of this host that libvirt can read, such as one in `/var/lib/libvirt/images`",
            ),
        }
    })?;
    // A volume's capacity is given in whole sectors.
    Ok((Backing { path: image.to_owned(), medium }, size.next_multiple_of(512)))
}

fn read(path: &Path) -> io::Result<(Medium, u64)> {
    let mut file = File::open(path)?;
    let mut head = [0; 32];
    let mut filled = 0;
    while filled < head.len() {
        match file.read(&mut head[filled..])? {
            0 => break,
            read => filled += read,
        }
    }
    if let Some((_, name)) = STRANGE.iter().find(|(magic, _)| head.starts_with(magic)) {
        return Err(io::Error::new(io::ErrorKind::InvalidData, format!("it is {name} file")));
    }
    if head.starts_with(b"QFI\xfb") {
        let mut size = [0; 8];
        size.copy_from_slice(&head[24..32]);
        return Ok((Medium::Qcow2, u64::from_be_bytes(size)));
    }
    // A block device has no length of its own, and an end.
    match file.seek(SeekFrom::End(0))? {
        0 => Err(io::Error::new(io::ErrorKind::InvalidData, "it is empty")),
        size => Ok((Medium::Raw, size)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_are_told_by_their_beginning() {
        let dir = tempfile::tempdir().unwrap();
        let look = |name: &str, contents: &[u8]| {
            let path = dir.path().join(name);
            std::fs::write(&path, contents).unwrap();
            look(path.to_str().unwrap())
        };
        let mut qcow2 = b"QFI\xfb\0\0\0\x03".to_vec();
        qcow2.extend([0; 16]);
        qcow2.extend((1_u64 << 30).to_be_bytes());
        let (backing, size) = look("a", &qcow2).unwrap();
        assert_eq!((backing.medium, size), (Medium::Qcow2, 1 << 30));
        let (backing, size) = look("b", &[0; 1000]).unwrap();
        assert_eq!((backing.medium, size), (Medium::Raw, 1024));
        let error = look("c", b"KDMV....").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported);
        assert!(error.next_step().unwrap().contains("qemu-img convert"));
        assert_eq!(look("d", b"").unwrap_err().kind(), ErrorKind::Unsupported);
    }

    #[test]
    fn what_is_not_there_is_named() {
        assert_eq!(look("disk.img").unwrap_err().kind(), ErrorKind::Usage);
        let error = look("/nonexistent/disk.img").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound);
        assert!(error.to_string().contains("/nonexistent/disk.img"));
    }
}
