//! What `ssh` is told: a file of settings for each connection, so that nothing in the user's own changes what is done.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use crate::error::{Error, ErrorKind};

/// What the settings call the machine.
pub(super) const TARGET: &str = "machine";
/// What the room calls the layout's key.
pub(super) const ROOM_KEY: &str = "key";
/// Seconds for one attempt to connect.
const ATTEMPT: u32 = 10;
/// Seconds of silence after which the other side is asked whether it is there, and how often it may not answer.
const ALIVE: (u32, u32) = (5, 3);
/// Names a file to use in place of the user's `~/.ssh/config`, for jump hosts that are given as a text.
const USERS_SETTINGS: &str = "CARTHAGE_SSH_CONFIG";

/// How one connection is made.
#[derive(Debug)]
pub(super) struct Route {
    /// The machine's name, under which its key is known.
    pub(super) machine: String,
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) user: String,
    /// A key of the user's own; the layout's if absent.
    pub(super) key: Option<PathBuf>,
    /// What the connection goes through.
    pub(super) by: By,
}

/// What a connection goes through.
#[derive(Debug)]
pub(super) enum By {
    /// Nothing.
    Directly,
    /// The connection of this name in the same room.
    Connection(String),
    /// A host, as `ssh -J` takes it, by the user's own settings.
    Host(String),
}

impl Route {
    /// The settings of the connection of this name.
    pub(super) fn settings(&self, name: &str) -> Result<String, Error> {
        let mut text = format!("Host {TARGET}\n");
        let mut set = |key: &str, value: &str| {
            // Writing to a string cannot fail.
            writeln!(text, "  {key} {value}").ok();
        };
        set("HostName", &self.host.replace('%', "%%"));
        set("Port", &self.port.to_string());
        set("User", &self.word("user", &self.user)?);
        set("HostKeyAlias", &self.machine);
        set("UserKnownHostsFile", &known(name));
        set("GlobalKnownHostsFile", "/dev/null");
        for (key, value) in [
            ("StrictHostKeyChecking", "yes"),
            ("CheckHostIP", "no"),
            ("VerifyHostKeyDNS", "no"),
            ("UpdateHostKeys", "no"),
            ("HashKnownHosts", "no"),
            ("BatchMode", "yes"),
            ("PreferredAuthentications", "publickey"),
            ("IdentitiesOnly", "yes"),
            ("ForwardAgent", "no"),
            ("ForwardX11", "no"),
            ("ClearAllForwardings", "yes"),
            ("EscapeChar", "none"),
            ("TCPKeepAlive", "yes"),
            ("LogLevel", "ERROR"),
            ("ControlMaster", "no"),
            ("ControlPersist", "no"),
        ] {
            set(key, value);
        }
        set("ConnectTimeout", &ATTEMPT.to_string());
        set("ServerAliveInterval", &ALIVE.0.to_string());
        set("ServerAliveCountMax", &ALIVE.1.to_string());
        match &self.key {
            None => {
                set("IdentityFile", ROOM_KEY);
                set("IdentityAgent", "none");
            }
            // An agent may hold it, if it has a passphrase; it is asked for this key only.
            Some(key) => set("IdentityFile", &self.path(key)?),
        }
        match &self.by {
            By::Directly => set("ProxyCommand", "none"),
            By::Connection(jump) => set("ProxyCommand", &through_connection(jump)),
            By::Host(host) => set("ProxyCommand", &through_host(host)),
        }
        Ok(text)
    }

    fn word(&self, what: &str, word: &str) -> Result<String, Error> {
        let odd = |c: char| c.is_whitespace() || c.is_control() || matches!(c, '"' | '\\' | '#');
        if word.is_empty() || word.starts_with('-') || word.contains(odd) {
            let what = format!("`{word}` cannot be the {what} that `{}` is reached with", self.machine);
            return Err(Error::new(ErrorKind::Usage, what));
        }
        Ok(word.to_owned())
    }

    /// A path of this host. `ssh` expands some of what it may contain.
    fn path(&self, path: &Path) -> Result<String, Error> {
        let text = path
            .to_str()
            .filter(|text| path.is_absolute() && !text.contains(['"', '\\', '\n']) && !text.contains("${"));
        text.map(|text| format!("\"{}\"", text.replace('%', "%%"))).ok_or_else(|| {
            let what =
                format!("`{}` cannot be the key that `{}` is reached with", path.display(), self.machine);
            Error::new(ErrorKind::Usage, what)
                .because("`ssh` takes absolute paths without quotes, backslashes and `${`")
                .hint("move or link the key to another path")
        })
    }
}

/// The file of settings of the connection of this name.
pub(super) fn file(name: &str) -> String {
    format!("{name}.conf")
}

/// The file with the host key that it must see.
pub(super) fn known(name: &str) -> String {
    format!("{name}.known")
}

/// By the connection of a jump host that is there already, and never by a new one.
fn through_connection(jump: &str) -> String {
    let settings = file(jump);
    format!("ssh -F {settings} -S {jump} -o ProxyCommand=false -W '[%h]:%p' {TARGET}")
}

/// As `ssh -J` would. The last host is connected to, by way of those before it.
fn through_host(hosts: &str) -> String {
    let (before, last) = match hosts.rsplit_once(',') {
        Some((before, last)) => (Some(before), last),
        None => (None, hosts),
    };
    let mut command = "ssh -o BatchMode=yes -o ClearAllForwardings=yes".to_owned();
    if let Some(settings) = std::env::var_os(USERS_SETTINGS).filter(|file| !file.is_empty()) {
        command += &format!(" -F {}", quoted(&settings.to_string_lossy()));
    }
    if let Some(before) = before {
        command += &format!(" -J {}", quoted(before));
    }
    let last = last.strip_prefix("ssh://").unwrap_or(last);
    command + &format!(" -W '[%h]:%p' {}", quoted(&format!("ssh://{last}")))
}

/// A word for a shell, in a setting where `%` has a meaning.
fn quoted(word: &str) -> String {
    format!("'{}'", word.replace('%', "%%").replace('\'', "'\\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn route() -> Route {
        Route {
            machine: "web.a".into(),
            host: "fe80::1%eth0".into(),
            port: 2222,
            user: "root".into(),
            key: None,
            by: By::Directly,
        }
    }

    #[test]
    fn settings_are_complete() {
        let text = route().settings("m1").unwrap();
        for line in ["HostName fe80::1%%eth0", "Port 2222", "HostKeyAlias web.a", "IdentityFile key"] {
            assert!(text.contains(&format!("  {line}\n")), "{line} in {text}");
        }
        let own = Route { key: Some("/home/me/a key".into()), ..route() };
        let text = own.settings("m1").unwrap();
        assert!(
            text.contains("IdentityFile \"/home/me/a key\"") && !text.contains("IdentityAgent"),
            "{text}"
        );
    }

    #[test]
    fn what_ssh_would_read_otherwise_is_refused() {
        assert!(Route { user: "a b".into(), ..route() }.settings("m1").is_err());
        assert!(Route { user: "-oX".into(), ..route() }.settings("m1").is_err());
        for path in ["relative", "/a\"b", "/${HOME}/key"] {
            assert!(Route { key: Some(path.into()), ..route() }.settings("m1").is_err(), "{path}");
        }
    }

    #[test]
    fn jumps() {
        let jump = |by| Route { by, ..route() }.settings("m2").unwrap();
        assert!(jump(By::Connection("m1".into())).contains("ssh -F m1.conf -S m1 -o ProxyCommand=false -W"));
        let text = jump(By::Host("a@b:1,c@d:2".into()));
        assert!(text.contains("-J 'a@b:1' -W '[%h]:%p' 'ssh://c@d:2'\n"), "{text}");
    }
}
