//! Users and groups, from the machine's own `/etc/passwd` and `/etc/group`.

use std::fs;

use nix::unistd::{Gid, Uid};

use crate::error::{Error, ErrorKind};

/// Who a command runs as.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct User {
    pub(super) name: String,
    pub(super) uid: u32,
    pub(super) gid: u32,
    pub(super) groups: Vec<u32>,
    pub(super) home: String,
    pub(super) shell: String,
}

/// Finds a user by name or number; root if none is given.
pub(super) fn find(user: Option<&str>) -> Result<User, Error> {
    let passwd = fs::read_to_string("/etc/passwd").unwrap_or_default();
    let group = fs::read_to_string("/etc/group").unwrap_or_default();
    let found = lookup(user.unwrap_or("root"), &passwd, &group)?;
    if found.uid != 0 && !mapped("/proc/self/uid_map", found.uid)
        || found.gid != 0 && !mapped("/proc/self/gid_map", found.gid)
    {
        let wanted = &found.name;
        return Err(Error::new(
            ErrorKind::Unsupported,
            format!("there is only one user inside, so nothing can run as `{wanted}`"),
        )
        .hint(
            "give your user subordinate ids (`/etc/subuid`, `/etc/subgid`, package uidmap), or run as root",
        ));
    }
    Ok(found)
}

/// The process's own groups can only be set where the user namespace has more than one.
pub(super) fn groups(user: &User) -> Option<Vec<Gid>> {
    let allowed = fs::read_to_string("/proc/self/setgroups").is_ok_and(|text| text.trim() == "allow");
    allowed.then(|| {
        user.groups
            .iter()
            .filter(|gid| mapped("/proc/self/gid_map", **gid))
            .map(|gid| Gid::from_raw(*gid))
            .collect()
    })
}

impl User {
    pub(super) fn ids(&self) -> (Uid, Gid) {
        (Uid::from_raw(self.uid), Gid::from_raw(self.gid))
    }
}

fn lookup(wanted: &str, passwd: &str, group: &str) -> Result<User, Error> {
    let number = wanted.parse::<u32>().ok();
    let mut people = passwd.lines().filter_map(|line| {
        let mut fields = line.split(':');
        let (name, uid) = (fields.next()?, fields.nth(1)?.parse().ok()?);
        let (gid, home, shell) =
            (fields.next()?.parse().ok()?, fields.nth(1)?, fields.next().unwrap_or_default());
        Some((name, uid, gid, home, shell))
    });
    let found = people.find(|(name, uid, ..)| *name == wanted || Some(*uid) == number);
    let (name, uid, gid, home, shell) = match (found, number) {
        (Some(person), _) => person,
        (None, Some(number)) => (wanted, number, number, "/", ""),
        (None, None) if wanted == "root" => ("root", 0, 0, "/root", ""),
        (None, None) => {
            return Err(Error::new(ErrorKind::NotFound, format!("there is no user `{wanted}`"))
                .hint("make the user first, or give a number"));
        }
    };
    let member = |line: &str| {
        let mut fields = line.split(':');
        let gid = fields.nth(2)?.parse().ok()?;
        fields.next()?.split(',').any(|member| member == name).then_some(gid)
    };
    let mut groups: Vec<u32> = group.lines().filter_map(member).chain([gid]).collect();
    groups.sort_unstable();
    groups.dedup();
    let shell = if shell.is_empty() { "/bin/sh" } else { shell };
    Ok(User { name: name.into(), uid, gid, groups, home: home.into(), shell: shell.into() })
}

/// Whether a number exists in the user namespace.
fn mapped(map: &str, id: u32) -> bool {
    let Ok(map) = fs::read_to_string(map) else { return false };
    map.lines().any(|line| {
        let mut numbers = line.split_whitespace().map(str::parse::<u32>);
        let (Some(Ok(first)), Some(Ok(_)), Some(Ok(count))) =
            (numbers.next(), numbers.next(), numbers.next())
        else {
            return false;
        };
        (first..first.saturating_add(count)).contains(&id)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const PASSWD: &str = "root:x:0:0:root:/root:/bin/bash\nweb:x:33:34:www:/var/www:\nbroken\n";
    const GROUP: &str = "root:x:0:\nadm:x:4:web,other\nweb:x:34:\nssl:x:7:web\n";

    #[test]
    fn users_are_found_by_name_and_by_number_with_their_groups() {
        let web = lookup("web", PASSWD, GROUP).unwrap();
        assert_eq!((web.uid, web.gid, web.groups.as_slice()), (33, 34, &[4, 7, 34][..]));
        assert_eq!((web.home.as_str(), web.shell.as_str()), ("/var/www", "/bin/sh"));
        assert_eq!(lookup("33", PASSWD, GROUP).unwrap(), web);
    }

    #[test]
    fn an_unknown_number_is_a_user_and_an_unknown_name_is_not() {
        let user = lookup("4711", PASSWD, GROUP).unwrap();
        assert_eq!((user.uid, user.gid, user.home.as_str()), (4711, 4711, "/"));
        assert_eq!(lookup("nobody-here", PASSWD, GROUP).unwrap_err().kind(), ErrorKind::NotFound);
    }
}
