//! What the text of a literal argument must be. Each rule returns the value, or a clause that says what is wrong and what to
//! write.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};

pub(crate) use crate::ipv4::{Cidr, Range, address, addresses, cidr, range};

/// What the text says, or a clause about what is wrong with it.
pub(crate) type Checked<T> = Result<T, String>;

/// A hardware address such as `52:54:00:12:34:56`.
pub(crate) fn mac(text: &str) -> Checked<[u8; 6]> {
    let wrong = || format!("`{text}` is not a hardware address: six bytes such as `52:54:00:12:34:56`");
    let bytes: Vec<u8> = text
        .split(':')
        .map(|byte| u8::from_str_radix(byte, 16).ok().filter(|_| byte.len() == 2 && !byte.starts_with('+')))
        .collect::<Option<_>>()
        .ok_or_else(wrong)?;
    let bytes: [u8; 6] = bytes.try_into().map_err(|_| wrong())?;
    if bytes[0] & 1 == 1 {
        let one = format!("{:02x}{}", bytes[0] & !1, &text[2..]);
        return Err(format!(
            "`{text}` addresses a group of interfaces; write a single one's, such as `{one}`"
        ));
    }
    if bytes == [0; 6] {
        return Err(format!("`{text}` is no interface's address; leave `mac` out to have one given"));
    }
    Ok(bytes)
}

/// A host name: one label (RFC 1123), in lower case.
pub(crate) fn host_name(text: &str) -> Checked<String> {
    if text.contains('.') {
        let label = text.split('.').next().unwrap_or(text);
        return Err(format!(
            "`{text}` has a dot; a name is one label, `{label}`, and the enclave's `domain` completes it"
        ));
    }
    label(text, "a host name")
}

/// A domain: labels with dots between.
pub(crate) fn domain(text: &str) -> Checked<String> {
    if text.starts_with('.') || text.ends_with('.') {
        return Err(format!(
            "a domain neither begins nor ends with a dot; write `{}`",
            text.trim_matches('.')
        ));
    }
    if text.len() > 190 {
        return Err(format!("a domain of {} bytes leaves no room for host names; at most 190", text.len()));
    }
    for part in text.split('.') {
        label(part, "a domain label").map_err(|wrong| match part {
            "" => format!("`{text}` is not a domain: there is nothing between two dots"),
            _ => wrong,
        })?;
    }
    Ok(text.to_owned())
}

fn label(text: &str, what: &str) -> Checked<String> {
    if text.is_empty() {
        return Err(format!("{what} is not empty"));
    }
    if text.len() > 63 {
        return Err(format!("`{text}` has {} characters; {what} has at most 63", text.len()));
    }
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if let Some(c) = text.chars().find(|c| !fits(*c)) {
        let mends = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | ' ');
        let better = text.to_lowercase().replace(['_', ' '], "-");
        let better = better.trim_matches('-');
        let write = match !better.is_empty() && text.chars().all(mends) {
            true => format!("; write `{better}`"),
            false => String::new(),
        };
        return Err(format!("`{text}` is not {what}: {c:?} is none of `a`-`z`, `0`-`9` and `-`{write}"));
    }
    if text.starts_with('-') || text.ends_with('-') {
        return Err(format!("`{text}` is not {what}: it neither begins nor ends with `-`"));
    }
    Ok(text.to_owned())
}

/// The name of a network interface, as Linux allows it.
pub(crate) fn interface(text: &str) -> Checked<String> {
    if text.is_empty() {
        return Err("an interface name is not empty".to_owned());
    }
    if text.len() > 15 {
        return Err(format!("interface name `{text}` has {} bytes; Linux allows 15", text.len()));
    }
    if text == "." || text == ".." {
        return Err(format!("`{text}` is not an interface name"));
    }
    if let Some(c) = text.chars().find(|c| c.is_whitespace() || c.is_control() || matches!(c, '/' | ':')) {
        return Err(format!("`{text}` is not an interface name: it contains {c:?}"));
    }
    if text == "lo" {
        return Err("`lo` is the loopback interface, which every machine has; choose another name".to_owned());
    }
    Ok(text.to_owned())
}

/// A user inside a machine: a name, as `/etc/passwd` takes it, or a number.
pub(crate) fn user(text: &str) -> Checked<String> {
    if text.is_empty() {
        return Err("a user's name is not empty".to_owned());
    }
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        // The last number stands for nobody at all.
        return match text.parse::<u32>() {
            Ok(number) if number == u32::MAX => Err(format!("no user has the number {number}")),
            Ok(number) if number.to_string() != text => {
                Err(format!("a user's number has no zeros in front; write `{number}`"))
            }
            Ok(_) => Ok(text.to_owned()),
            Err(_) => Err(format!("`{text}` is too large for a user's number")),
        };
    }
    if text.len() > 32 {
        return Err(format!("user name `{text}` has {} bytes; Linux allows 32", text.len()));
    }
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    if let Some(c) = text.chars().find(|c| !fits(*c)) {
        return Err(format!(
            "`{text}` is not a user name: {c:?} is none of `a`-`z`, `A`-`Z`, `0`-`9`, `_`, `-` and `.`"
        ));
    }
    if !text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') {
        return Err(format!("`{text}` is not a user name: it begins with a letter or `_`"));
    }
    Ok(text.to_owned())
}

/// An absolute path.
pub(crate) fn absolute_path(text: &str) -> Checked<String> {
    if text.starts_with('/') {
        Ok(text.to_owned())
    } else {
        Err(format!("`{text}` is not absolute; write a path from `/`"))
    }
}

/// A path on the host: absolute, or below a variable of the environment.
pub(crate) fn host_path(text: &str) -> Checked<String> {
    let variable = |text: &str| {
        let name = text.split('/').next().unwrap_or(text);
        let letter =
            |(at, c): (usize, char)| c == '_' || c.is_ascii_alphabetic() || (at > 0 && c.is_ascii_digit());
        !name.is_empty() && name.char_indices().all(letter)
    };
    match text.strip_prefix('$') {
        Some(rest) if !variable(rest) => {
            Err(format!("`{text}` names no variable; write `$NAME/…`, such as `$HOME/images/debian.qcow2`"))
        }
        Some(_) => Ok(text.to_owned()),
        None if text.starts_with('/') => Ok(text.to_owned()),
        None => Err(format!(
            "`{text}` is not absolute; write a path from `/`, or below a variable: `$HOME/{text}`"
        )),
    }
}

/// What a root is made from: a path, or the reference of a container image.
pub(crate) fn image(text: &str) -> Checked<String> {
    if text.starts_with('$') || text.starts_with('/') {
        return host_path(text);
    }
    if text.starts_with('.') || text.starts_with('~') {
        return Err(format!(
            "`{text}` is not absolute; write a path from `/`, or below a variable: `$HOME/…`"
        ));
    }
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '/' | ':' | '@');
    if text.is_empty() || !text.chars().all(fits) {
        return Err(format!(
            "`{text}` is not the reference of an image, such as `docker.io/library/debian:12`"
        ));
    }
    Ok(text.to_owned())
}

/// Where a machine is: addresses, or a name.
pub(crate) fn place(text: &str) -> Checked<Place> {
    if text.parse::<std::net::Ipv6Addr>().is_ok() {
        return Ok(Place::Name(text.to_owned()));
    }
    let numbers = text.chars().all(|c| c.is_ascii_digit() || matches!(c, '.' | '-' | '/' | ' '));
    if numbers {
        return addresses(text).map(Place::Range);
    }
    domain(text).map(Place::Name).map_err(|wrong| format!("{wrong}; expected an address or a host's name"))
}

/// Where a machine is.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Place {
    Range(Range),
    Name(String),
}

impl ToTokens for Place {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        tokens.extend(match self {
            Self::Range(range) => quote!(::carthage::model::Address::Range(#range)),
            Self::Name(name) => quote!(::carthage::model::Address::Name(#name)),
        });
    }
}

/// A public key of ssh, its comment left out.
pub(crate) fn ssh_key(text: &str) -> Checked<String> {
    let mut words = text.split_whitespace();
    let known =
        |kind: &str| kind.starts_with("ssh-") || kind.starts_with("ecdsa-") || kind.starts_with("sk-");
    let base64 = |key: &str| {
        key.starts_with("AAAA")
            && key.len() > 40
            && key.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '/' | '='))
    };
    match (words.next(), words.next()) {
        (Some(kind), Some(key)) if known(kind) && base64(key) => Ok(format!("{kind} {key}")),
        (Some(kind), _) if kind.starts_with("SHA256:") => {
            Err("this is a fingerprint; pin the whole key: `ssh-ed25519 AAAA…`, as `ssh-keyscan` prints it"
                .to_owned())
        }
        _ => Err("this is not a public key, such as `ssh-ed25519 AAAA…`".to_owned()),
    }
}

/// A host to go through: `user@host:port`.
pub(crate) fn jump(text: &str) -> Checked<String> {
    let fits =
        |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '@' | ':' | '[' | ']' | ',');
    if text.is_empty() || text.starts_with('-') || !text.chars().all(fits) {
        return Err(format!("`{text}` is not a host to go through, such as `user@gateway.example.org`"));
    }
    Ok(text.to_owned())
}

/// A TCP or UDP port.
pub(crate) fn port(value: u64) -> Checked<()> {
    if (1..=65535).contains(&value) {
        Ok(())
    } else {
        Err(format!("`{value}` is not a port; ports are 1 to 65535"))
    }
}

/// Bytes per frame.
pub(crate) fn mtu(value: u64) -> Checked<()> {
    if (68..=65535).contains(&value) {
        Ok(())
    } else {
        Err(format!("an MTU of {value} bytes is impossible; IPv4 needs 68 to 65535"))
    }
}

/// MiB of memory, or anything else of which there must be some.
pub(crate) fn positive(value: u64) -> Checked<()> {
    if value > 0 { Ok(()) } else { Err("must be more than 0".to_owned()) }
}

/// How often.
pub(crate) fn count(value: u64) -> Checked<()> {
    positive(value)?;
    if u32::try_from(value).is_ok() { Ok(()) } else { Err(format!("{value} times are too many")) }
}

/// Processors.
pub(crate) fn processors(value: u64) -> Checked<()> {
    positive(value)?;
    if u32::try_from(value).is_ok() { Ok(()) } else { Err(format!("{value} processors are too many")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hardware_addresses() {
        assert_eq!(mac("52:54:00:12:34:56"), Ok([0x52, 0x54, 0, 0x12, 0x34, 0x56]));
        assert!(mac("53:54:00:12:34:56").unwrap_err().ends_with("`52:54:00:12:34:56`"));
        for wrong in [
            "",
            "52:54:00:12:34",
            "52:54:00:12:34:56:78",
            "52:54:00:12:34:g0",
            "5:54:00:12:34:56",
            "00:00:00:00:00:00",
        ] {
            assert!(mac(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn names() {
        assert!(host_name("worker-2").is_ok() && domain("a.b").is_ok() && interface("eth0.7").is_ok());
        assert!(host_name("Web_Server").unwrap_err().ends_with("write `web-server`"));
        for wrong in ["", "-a", "a-", "a.b", "ü", &"a".repeat(64)] {
            assert!(host_name(wrong).is_err(), "{wrong}");
        }
        for wrong in ["", ".a", "a.", "a..b", "a b"] {
            assert!(domain(wrong).is_err(), "{wrong}");
        }
        assert!(
            user("www-data").is_ok() && user("_apt").is_ok() && user("0").is_ok() && user("4711").is_ok()
        );
        for wrong in ["", "a b", "a:b", "-a", "7up", "007", "4294967295", "99999999999", &"a".repeat(33)] {
            assert!(user(wrong).is_err(), "{wrong}");
        }
        for wrong in ["", ".", "..", "a/b", "a b", "lo", "sixteen-bytes-if"] {
            assert!(interface(wrong).is_err(), "{wrong}");
        }
    }
}
