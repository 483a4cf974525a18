//! What is known of a file inside a machine.

/// What is known of a file inside a machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileStat {
    /// What it is.
    pub kind: FileKind,
    /// Bytes.
    pub len: u64,
    /// The permission bits.
    pub mode: u32,
    /// Numbers of the owner and the group, as seen inside the machine.
    pub owner: (u32, u32),
}

/// What a path inside a machine is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileKind {
    /// A regular file.
    File,
    /// A directory.
    Directory,
    /// A symbolic link.
    Symlink,
    /// Something else: a socket, a device, a pipe.
    Other,
}
