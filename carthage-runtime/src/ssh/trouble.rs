//! Why a connection was not made, read from what `ssh` says of it.

use crate::error::Error;

/// Why.
#[derive(Debug)]
pub(super) enum Trouble {
    /// The host does not show the key that it must show.
    HostKey(String),
    /// The host's key is not known, which this error says.
    Unknown(Error),
    /// The host does not let us in.
    Denied(String),
    /// The host does not answer, or not to the end.
    Unreachable(String),
    /// Something else, which trying again does not change.
    Final(Error),
}

impl Trouble {
    /// From all that `ssh` wrote.
    pub(super) fn of(said: &str) -> Self {
        let has = |text: &str| said.contains(text);
        let seen = last(said);
        if has("Host key verification failed")
            || has("HOST IDENTIFICATION HAS CHANGED")
            || has("host key is known for")
        {
            Self::HostKey(seen)
        } else if has("Permission denied (") || has("Too many authentication failures") {
            Self::Denied(seen)
        } else {
            Self::Unreachable(seen)
        }
    }

    /// What was seen, in a few words.
    pub(super) fn seen(&self) -> String {
        match self {
            Self::HostKey(seen) | Self::Denied(seen) | Self::Unreachable(seen) => seen.clone(),
            Self::Final(error) | Self::Unknown(error) => crate::error::chain(error),
        }
    }
}

impl From<Error> for Trouble {
    fn from(error: Error) -> Self {
        Self::Final(error)
    }
}

/// The last line that says something by itself: when a connection goes through another program, `ssh` adds a line that only
/// says that it has ended.
fn last(said: &str) -> String {
    let lines = || said.lines().map(str::trim).filter(|line| !line.is_empty());
    let hollow = |line: &&str| {
        line.starts_with("Connection closed by UNKNOWN") || line.ends_with("Connection closed by remote host")
    };
    let last = lines().rfind(|line| !hollow(line)).or_else(|| lines().next_back());
    last.map_or_else(
        || "`ssh` ended without a word".to_owned(),
        |line| line.strip_prefix("ssh: ").unwrap_or(line).to_owned(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_ssh_says() {
        let refused = "ssh: connect to host 10.0.0.1 port 22: Connection refused\r\n";
        let Trouble::Unreachable(seen) = Trouble::of(refused) else { panic!() };
        assert_eq!(seen, "connect to host 10.0.0.1 port 22: Connection refused");
        let jump = "channel 0: open failed: connect failed: Connection refused\nstdio forwarding failed\n\
                    Connection closed by UNKNOWN port 65535\n";
        assert_eq!(Trouble::of(jump).seen(), "stdio forwarding failed");
        assert!(matches!(Trouble::of("root@h: Permission denied (publickey).\n"), Trouble::Denied(_)));
        assert!(matches!(Trouble::of("Host key verification failed.\n"), Trouble::HostKey(_)));
        assert!(matches!(Trouble::of(""), Trouble::Unreachable(_)));
    }
}
