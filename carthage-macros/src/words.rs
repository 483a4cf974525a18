//! Words that arguments choose between, as text: each becomes the name of a variant.

use crate::names;

type Checked<T> = Result<T, String>;

fn chosen(text: &str, what: &str, known: &[(&'static str, &'static str)]) -> Checked<&'static str> {
    if let Some((_, variant)) = known.iter().find(|(word, _)| *word == text) {
        return Ok(variant);
    }
    let words: Vec<_> = known.iter().map(|(word, _)| *word).collect();
    let hint = names::did_you_mean(text, words.iter().copied());
    let there = if words.len() == 1 { "there is" } else { "there are" };
    Err(format!("`{text}` is no {what}{hint}\n{there} {}", names::list(&words)))
}

/// What firmware is called.
pub(crate) fn firmware(text: &str) -> Checked<&'static str> {
    match text {
        "efi" => Err("write `uefi`".to_owned()),
        _ => chosen(text, "firmware", &[("bios", "Bios"), ("uefi", "Uefi")]),
    }
}

/// What processors understand.
pub(crate) fn architecture(text: &str) -> Checked<&'static str> {
    match text {
        "amd64" | "x86-64" | "x64" => Err("write `x86_64`".to_owned()),
        "arm64" => Err("write `aarch64`".to_owned()),
        _ => chosen(text, "kind of processor", &[("x86_64", "X86_64"), ("aarch64", "Aarch64")]),
    }
}

/// What disks are attached to.
pub(crate) fn disk_bus(text: &str) -> Checked<&'static str> {
    chosen(text, "bus of disks", &[("virtio", "Virtio"), ("scsi", "Scsi"), ("sata", "Sata")])
}

/// How the host keeps what is written to a disk.
pub(crate) fn disk_cache(text: &str) -> Checked<&'static str> {
    let known = [
        ("none", "None"),
        ("writeback", "Writeback"),
        ("writethrough", "Writethrough"),
        ("directsync", "Directsync"),
        ("unsafe", "Unsafe"),
    ];
    chosen(text, "cache of disks", &known)
}

/// How who logs in becomes another user.
pub(crate) fn privilege(text: &str) -> Checked<&'static str> {
    chosen(text, "way to become another user", &[("sudo", "Sudo")])
}

/// A word by which machines are selected: `@web`.
pub(crate) fn tag(text: &str) -> Checked<String> {
    if let Some(rest) = text.strip_prefix('@') {
        return Err(format!("a tag is written without `@`, and selected with it; write `{rest}`"));
    }
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    match text.chars().find(|c| !fits(*c)) {
        _ if text.is_empty() => Err("a tag is not empty".to_owned()),
        Some(c) => Err(format!(
            "`{text}` is not a tag: {c:?} is none of `a`-`z`, `A`-`Z`, `0`-`9`, `-`, `_` and `.`"
        )),
        None => Ok(text.to_owned()),
    }
}

/// The number of a VLAN.
pub(crate) fn vlan(value: u64) -> Checked<()> {
    if (1..=4094).contains(&value) {
        Ok(())
    } else {
        Err(format!("`{value}` is not a VLAN; VLANs are 1 to 4094"))
    }
}
