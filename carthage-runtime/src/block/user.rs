//! Users of the host.

use super::script::{Op, Probe};
use super::seen::{Seen, Told};
use super::{Build, Outcome, plain_name};

/// A user, with a group of its own name as the system makes it. What is not given is the system's to choose, and stays as it is.
///
/// ```
/// use carthage::block::User;
/// User::named("app").system().home("/srv/app").shell("/usr/sbin/nologin");
/// User::named("deploy").in_group("sudo");
/// ```
#[derive(Clone)]
#[must_use]
pub struct User {
    name: String,
    uid: Option<u32>,
    home: Option<String>,
    shell: Option<String>,
    groups: Vec<String>,
    is_system: bool,
}

impl User {
    /// One of this name.
    pub fn named(name: impl Into<String>) -> Self {
        Self { name: name.into(), uid: None, home: None, shell: None, groups: Vec::new(), is_system: false }
    }

    /// Its number.
    pub fn uid(mut self, uid: u32) -> Self {
        self.uid = Some(uid);
        self
    }

    /// Its home, which is made with the user.
    pub fn home(mut self, home: impl Into<String>) -> Self {
        self.home = Some(home.into());
        self
    }

    /// Its shell.
    pub fn shell(mut self, shell: impl Into<String>) -> Self {
        self.shell = Some(shell.into());
        self
    }

    /// It is in this group too, which must be there.
    pub fn in_group(mut self, group: impl Into<String>) -> Self {
        self.groups.push(group.into());
        self
    }

    /// One of a service, not of a person: its number is among those of the system. Counts when it is made.
    pub fn system(mut self) -> Self {
        self.is_system = true;
        self
    }

    /// What of it differs from `name:x:uid:gid:gecos:home:shell` and the groups it is in.
    fn differing(&self, told: &Told) -> (Self, Vec<String>) {
        let mut lines = told.text.lines();
        let fields: Vec<&str> = lines.next().unwrap_or_default().split(':').collect();
        let field = |at: usize| fields.get(at).copied().unwrap_or_default();
        let groups: Vec<&str> = lines.next().unwrap_or_default().split(' ').collect();
        let mut rest = Self { groups: Vec::new(), ..Self::named(&self.name) };
        let mut words = Vec::new();
        if let Some(uid) = self.uid.filter(|uid| uid.to_string() != field(2)) {
            words.push(format!("number {} -> {uid}", field(2)));
            rest.uid = Some(uid);
        }
        if let Some(home) = self.home.as_ref().filter(|home| *home != field(5)) {
            words.push(format!("home {} -> {home}", field(5)));
            rest.home = Some(home.clone());
        }
        if let Some(shell) = self.shell.as_ref().filter(|shell| *shell != field(6)) {
            words.push(format!("shell {} -> {shell}", field(6)));
            rest.shell = Some(shell.clone());
        }
        for group in self.groups.iter().filter(|group| !groups.contains(&group.as_str())) {
            words.push(format!("joins {group}"));
            rest.groups.push(group.clone());
        }
        (rest, words)
    }

    fn op(&self, made: bool) -> Op {
        let text = |value: &Option<String>| value.clone().unwrap_or_default().into();
        let variables = vec![
            ("name", self.name.clone().into()),
            ("made", if made { "yes" } else { "no" }.into()),
            ("uid", self.uid.map(|uid| uid.to_string()).unwrap_or_default().into()),
            ("home", text(&self.home)),
            ("shell", text(&self.shell)),
            ("groups", self.groups.join(" ").into()),
            ("system", if self.is_system { "yes" } else { "" }.into()),
        ];
        Op::Other { kind: "user", variables }
    }
}

impl Build for User {
    fn name(&self) -> String {
        format!("user {}", self.name)
    }

    fn check(&self) -> Result<(), String> {
        plain_name("user", &self.name)?;
        for path in [&self.home, &self.shell].into_iter().flatten() {
            if !path.starts_with('/') || path.contains(['\n', '\0', ':']) {
                return Err(format!("`{path}` is no absolute path that a user can have"));
            }
        }
        self.groups.iter().try_for_each(|group| plain_name("group", group))
    }

    fn probe(&self) -> Probe {
        let variables = vec![("name", self.name.clone().into())];
        Probe::Other { kind: "user", name: self.name.clone(), variables }
    }

    fn compare(&self, seen: &mut Seen) -> Outcome {
        let Some(told) = seen.told(&self.probe().key()) else { return Outcome::Same };
        if told.first() == "none" {
            return Outcome::differs(format!("creates {}", self.name()), self.op(false));
        }
        let (rest, words) = self.differing(&told);
        if words.is_empty() {
            return Outcome::Same;
        }
        Outcome::differs(format!("changes {}: {}", self.name(), words.join(", ")), rest.op(true))
    }

    fn is_opaque(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_is_changed_and_nothing_else() {
        let told = Told {
            words: vec!["there".into()],
            text: "app:x:999:999::/home/app:/bin/sh\napp video\n".into(),
        };
        let same = User::named("app").uid(999).shell("/bin/sh").in_group("video");
        assert!(same.differing(&told).1.is_empty());
        let (rest, words) = User::named("app").uid(999).home("/srv").in_group("audio").differing(&told);
        assert_eq!(words, ["home /home/app -> /srv", "joins audio"]);
        assert_eq!((rest.uid, rest.home.as_deref()), (None, Some("/srv")));
    }
}
