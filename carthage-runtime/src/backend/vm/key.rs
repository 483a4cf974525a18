//! How the layout's public key gets into a machine: as a string of its firmware (SMBIOS type 11).
//!
//! It is the one that systemd reads credentials from: with 253 or newer, it lets the key in as root's without anything else in the
//! image. A system without systemd finds it in `/sys/firmware/dmi/tables/DMI`. It is written there as it is read: base64 after a
//! `=`. A public key is no secret, so it may be seen in the description of the machine.

/// The credential's name and form.
const CREDENTIAL: &str = "io.systemd.credential.binary:ssh.authorized_keys.root=";

/// The string for this line of an `authorized_keys`.
pub(super) fn string(public: &str) -> String {
    format!("{CREDENTIAL}{}", base64(format!("{}\n", public.trim_end()).as_bytes()))
}

/// RFC 4648, with padding.
fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let byte = |at: usize| u32::from(chunk.get(at).copied().unwrap_or_default());
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for place in 0..4 {
            // Six bits are an index into 64 letters.
            let letter = LETTERS[(bits >> (18 - 6 * place) & 0x3f) as usize];
            text.push(if place > chunk.len() { '=' } else { char::from(letter) });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_written_as_systemd_reads_it() {
        for (plain, coded) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("fooba", "Zm9vYmE="),
        ] {
            assert_eq!(base64(plain.as_bytes()), coded);
        }
        assert_eq!(
            string("ssh-ed25519 AAAA x\n"),
            "io.systemd.credential.binary:ssh.authorized_keys.root=c3NoLWVkMjU1MTkgQUFBQSB4Cg=="
        );
    }
}
