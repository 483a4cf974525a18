//! What a machine writes to its serial console: a file of the layout's logs.

use std::fs::{self, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use crate::error::Error;

/// How much of the end of a console is read, and how many lines of it an error shows.
const TAIL: u64 = 8 * 1024;
const LINES: usize = 12;

/// The consoles of a layout's machines.
#[derive(Clone, Debug)]
pub(super) struct Consoles(PathBuf);

impl Consoles {
    pub(super) fn new(logs: &Path) -> Self {
        Self(logs.join("console"))
    }

    /// The file of a machine.
    pub(super) fn file(&self, machine: &str) -> PathBuf {
        self.0.join(format!("{machine}.log"))
    }

    /// Makes the file of a machine, if there is none: as ours, and as nobody else's to read. libvirt appends to it.
    pub(super) fn prepare(&self, machine: &str) -> Result<PathBuf, Error> {
        let file = self.file(machine);
        let make = || {
            fs::DirBuilder::new().recursive(true).mode(0o700).create(&self.0)?;
            OpenOptions::new().append(true).create(true).mode(0o600).open(&file)
        };
        make().map_err(Error::host(format!("cannot open the log `{}`", file.display())))?;
        Ok(file)
    }

    /// How long the console of a machine is by now: what comes after is of the next start.
    pub(super) fn len(&self, machine: &str) -> u64 {
        fs::metadata(self.file(machine)).map_or(0, |file| file.len())
    }

    /// The last lines that a machine has written beyond a length, without what only moves a cursor about.
    pub(super) fn last_lines(&self, machine: &str, beyond: u64) -> Result<String, Error> {
        let file = self.file(machine);
        let read = || {
            let mut file = fs::File::open(&file)?;
            let len = file.metadata()?.len();
            // libvirt's logger may have begun a new file meanwhile.
            let beyond = if len < beyond { 0 } else { beyond };
            file.seek(SeekFrom::Start(beyond.max(len.saturating_sub(TAIL))))?;
            let mut tail = Vec::new();
            file.take(TAIL).read_to_end(&mut tail)?;
            Ok::<_, io::Error>(tail)
        };
        match read() {
            Ok(tail) => Ok(lines(&String::from_utf8_lossy(&tail))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(String::new()),
            Err(error) => Err(Error::host(format!("cannot read the log `{}`", file.display()))(error)),
        }
    }

    /// Removes what a machine has written, and what libvirt's logger has put aside of it (`NAME.log.0`).
    pub(super) fn remove(&self, machine: &str) -> Result<(), Error> {
        let file = self.file(machine);
        let aside = (0..10).map(|number| self.0.join(format!("{machine}.log.{number}")));
        for path in std::iter::once(file).chain(aside) {
            match fs::remove_file(&path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    return Err(Error::host(format!("cannot remove the log `{}`", path.display()))(error));
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Removes the directory when there is nothing in it.
    pub(super) fn tidy(&self) -> Result<(), Error> {
        match fs::remove_dir(&self.0) {
            Err(error)
                if !matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::DirectoryNotEmpty) =>
            {
                Err(Error::host(format!("cannot remove `{}`", self.0.display()))(error))
            }
            _ => Ok(()),
        }
    }
}

/// The last lines of a text from a terminal.
fn lines(text: &str) -> String {
    let mut plain = String::new();
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            // A sequence for the terminal ends with its first letter, or `~`.
            '\u{1b}' => {
                if letters.next_if_eq(&'[').is_some() {
                    while letters.next().is_some_and(|letter| !letter.is_ascii_alphabetic() && letter != '~')
                    {
                    }
                } else {
                    letters.next();
                }
            }
            '\n' | '\t' => plain.push(letter),
            letter if letter.is_control() => {}
            letter => plain.push(letter),
        }
    }
    let lines: Vec<_> = plain.lines().map(str::trim_end).filter(|line| !line.is_empty()).collect();
    lines[lines.len().saturating_sub(LINES)..].join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_lines_are_plain() {
        let text = "\u{1b}[2J\u{1b}[1;1Hfirst\r\n\r\n\u{1b}c[  1.0] kernel panic\r\n";
        assert_eq!(lines(text), "first\n[  1.0] kernel panic");
        let many: String = (0..100).map(|n| format!("{n}\n")).collect();
        assert!(lines(&many).starts_with("88\n") && lines(&many).ends_with("\n99"));
        assert_eq!(lines("no end \u{1b}["), "no end");
    }

    #[test]
    fn the_file_is_ones_own_and_goes_with_the_machine() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        let consoles = Consoles::new(dir.path());
        let file = consoles.prepare("m.lab").unwrap();
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        fs::write(&file, "of the first start\n").unwrap();
        let before = consoles.len("m.lab");
        fs::write(&file, "of the first start\nof the second\n").unwrap();
        assert_eq!(consoles.last_lines("m.lab", before).unwrap(), "of the second");
        fs::write(file.with_extension("log.0"), "aside").unwrap();
        consoles.remove("m.lab").unwrap();
        consoles.remove("m.lab").unwrap();
        consoles.tidy().unwrap();
        assert!(!file.parent().unwrap().exists());
        assert_eq!(consoles.last_lines("m.lab", 0).unwrap(), "");
    }
}
