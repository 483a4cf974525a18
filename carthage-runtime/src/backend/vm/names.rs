//! What things are called in libvirt, and the numbers that they are found by.

use std::fmt;

use crate::machine::engine::Site;

/// A number that libvirt finds things by, as it writes it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Uuid(String);

impl fmt::Display for Uuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Uuid {
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    /// One that follows from what it stands for, as RFC 9562 has it for the hash of one's own choice (version 8).
    fn of(words: &[&str]) -> Self {
        let mut hasher = blake3::Hasher::new_derive_key("carthage 2026 numbers of things in libvirt");
        for word in words {
            hasher.update(&(word.len() as u64).to_le_bytes()).update(word.as_bytes());
        }
        let mut bytes = [0; 16];
        hasher.finalize_xof().fill(&mut bytes);
        bytes[6] = bytes[6] & 0x0f | 0x80;
        bytes[8] = bytes[8] & 0x3f | 0x80;
        let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        // Hexadecimal digits are single bytes, and there are 32 of them.
        let parts = [0..8, 8..12, 12..16, 16..20, 20..32].map(|range| digits[range].to_owned());
        Self(parts.join("-"))
    }
}

/// Names and numbers on one site.
#[derive(Clone, Debug)]
pub(super) struct Names {
    site: String,
}

impl Names {
    pub(super) fn new(site: &Site) -> Self {
        Self { site: site.id.clone() }
    }

    /// The site's number.
    pub(super) fn site(&self) -> &str {
        &self.site
    }

    /// The first digits of the site's number tell layouts of the same name apart.
    fn of(&self, thing: &str) -> String {
        format!("carthage-{}-{thing}", self.site.get(..8).unwrap_or(&self.site))
    }

    /// What a machine's domain is called.
    pub(super) fn machine(&self, machine: &str) -> String {
        self.of(machine)
    }

    /// What a machine's domain is found by.
    pub(super) fn machine_uuid(&self, machine: &str) -> Uuid {
        Uuid::of(&[&self.site, "machine", machine])
    }

    /// What a network is called.
    pub(super) fn network(&self, network: &str) -> String {
        self.of(network)
    }

    /// The network that would be called so.
    pub(super) fn network_of<'a>(&self, name: &'a str) -> Option<&'a str> {
        name.strip_prefix(&self.of(""))
    }

    /// What a network is found by.
    pub(super) fn network_uuid(&self, network: &str) -> Uuid {
        Uuid::of(&[&self.site, "network", network])
    }

    /// What the directory of the disks is called; its parent holds those of all layouts.
    pub(super) fn pool(&self) -> String {
        format!("carthage-{}", self.site)
    }

    /// What the directory of the disks is found by.
    pub(super) fn pool_uuid(&self) -> Uuid {
        Uuid::of(&[&self.site, "pool"])
    }

    /// What a disk of a machine is called: the root is number 0.
    pub(super) fn disk(machine: &str, number: usize) -> String {
        format!("{machine}.disk{number}.qcow2")
    }

    /// The number of a disk of this machine, if that is what is called so.
    pub(super) fn disk_number(machine: &str, volume: &str) -> Option<usize> {
        let number = volume.strip_prefix(machine)?.strip_prefix(".disk")?.strip_suffix(".qcow2")?;
        number.parse().ok().filter(|parsed: &usize| parsed.to_string() == number)
    }
}

/// A hardware address, as everybody writes it.
pub(super) fn mac(bytes: [u8; 6]) -> String {
    bytes.map(|byte| format!("{byte:02x}")).join(":")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(site: &str) -> Names {
        Names { site: site.into() }
    }

    #[test]
    fn a_number_follows_from_the_layout_and_the_name() {
        let one = names("0123456789abcdef").machine_uuid("m.lab");
        assert_eq!(one, names("0123456789abcdef").machine_uuid("m.lab"));
        assert_eq!(one.as_str().len(), 36);
        assert_eq!(&one.as_str()[14..15], "8", "{one}");
        assert_ne!(one, names("0123456789abcdef").machine_uuid("n.lab"));
        assert_ne!(one, names("0123456789abcdef").network_uuid("m.lab"));
        assert_ne!(one, names("0123456789abcdee").machine_uuid("m.lab"));
    }

    #[test]
    fn disks_of_others_are_not_taken_for_ones_own() {
        assert_eq!(Names::disk_number("m.lab", &Names::disk("m.lab", 12)), Some(12));
        for other in ["n.lab.disk1.qcow2", "m.lab.disk01.qcow2", "m.lab.qcow2", "m.lab.disk.qcow2"] {
            assert_eq!(Names::disk_number("m.lab", other), None, "{other}");
        }
        assert_eq!(Names::disk_number("m", &Names::disk("m.disk1", 0)), None);
    }

    #[test]
    fn addresses_are_written_with_colons() {
        assert_eq!(mac([2, 0, 0, 0xab, 0, 1]), "02:00:00:ab:00:01");
    }
}
