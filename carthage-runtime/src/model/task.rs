//! Setup tasks that are described by hand, and those that are named by others: `Mirror.site.index`.

use super::key::{At, Key};
use super::node::{Node, Role, TaskNode};
use super::text::{Text, same};
use super::value::Need;

impl Node {
    /// That there is a customization in this field, behind the fields of roles: `site`, `web.site`.
    ///
    /// # Panics
    /// When there is none; in a constant, it does not compile then.
    #[doc(hidden)]
    #[track_caller]
    pub const fn has_customization(&self, field: &str) {
        if self.tasks_in(field).is_some() {
            return;
        }
        let mut buffer = [0; 4096];
        let mut text = Text::new(&mut buffer);
        quoted(&mut text, self.key.name());
        text.str(" has no customization in a field called ");
        quoted(&mut text, field);
        let (mut i, mut shown) = (0, 0);
        while i < self.parts.len() {
            if let Role::Customize(_) = &self.parts[i].role {
                text.str(if shown == 0 { "\n  it has " } else { ", " });
                quoted(&mut text, self.parts[i].field);
                shown += 1;
            }
            i += 1;
        }
        if shown == 0 {
            text.str("\n  it has no customizations");
        }
        panic!("{}", text.as_str());
    }

    /// That the customization in this field has this task. Whether there is one is another question.
    ///
    /// # Panics
    /// When it has none of that name; in a constant, it does not compile then.
    #[doc(hidden)]
    #[track_caller]
    pub const fn has_task(&self, field: &str, task: &str) {
        let Some(tasks) = self.tasks_in(field) else { return };
        let mut i = 0;
        while i < tasks.len() {
            if same(tasks[i].name, task) {
                return;
            }
            i += 1;
        }
        let mut buffer = [0; 4096];
        let mut text = Text::new(&mut buffer);
        quoted(&mut text, field);
        text.str(" of ");
        quoted(&mut text, self.key.name());
        text.str(" has no setup task called ");
        quoted(&mut text, task);
        let mut i = 0;
        while i < tasks.len() {
            text.str(if i == 0 { "\n  it has " } else { ", " });
            quoted(&mut text, tasks[i].name);
            i += 1;
        }
        panic!("{}", text.as_str());
    }

    const fn tasks_in(&self, field: &str) -> Option<&'static [TaskNode]> {
        let mut i = 0;
        while i < self.parts.len() {
            if let Role::Customize(node) = &self.parts[i].role
                && same(self.parts[i].field, field)
            {
                return Some(node.tasks);
            }
            i += 1;
        }
        None
    }

    /// The field of the customization that is called `named` in the model with this key: a machine has those of its roles behind
    /// the roles' own fields.
    pub(crate) fn field_of(&self, key: Key, named: &str) -> Option<&'static str> {
        let customizes = |field: &&'static str| self.tasks_in(field).is_some();
        if self.key == key {
            return self
                .parts
                .iter()
                .map(|part| part.field)
                .find(|field| *field == named && customizes(field));
        }
        let role = self.roles().find(|taken| taken.node.key == key)?;
        let inside =
            |field: &str| field.strip_suffix(named).is_some_and(|way| way.is_empty() || way.ends_with('.'));
        let mut own = self.parts[role.own()].iter().map(|part| part.field);
        own.find(|field| inside(field) && customizes(field))
    }
}

const fn quoted(text: &mut Text<'_>, s: &str) {
    text.str("`");
    text.str(s);
    text.str("`");
}

impl TaskNode {
    /// A task that needs nothing, and comes after those before it in the list.
    #[must_use]
    pub const fn new(name: &'static str, at: At) -> Self {
        Self {
            name,
            about: "",
            at,
            after: &[],
            user: None,
            timeout_seconds: None,
            retries: 0,
            source: 0,
            needs: &[],
        }
    }

    /// With a description.
    #[must_use]
    pub const fn about(mut self, about: &'static str) -> Self {
        self.about = about;
        self
    }

    /// After the tasks at these positions of the list.
    #[must_use]
    pub const fn after(mut self, after: &'static [usize]) -> Self {
        self.after = after;
        self
    }

    /// For no longer than this, in seconds, each time it is tried.
    #[must_use]
    pub const fn timeout_seconds(mut self, seconds: u64) -> Self {
        self.timeout_seconds = Some(seconds);
        self
    }

    /// Tried so often again when it fails.
    #[must_use]
    pub const fn retries(mut self, retries: u64) -> Self {
        self.retries = retries;
        self
    }

    /// As this user.
    #[must_use]
    pub const fn user(mut self, user: &'static str) -> Self {
        self.user = Some(user);
        self
    }

    /// With a number that is another one when what it does is changed: the task runs again then.
    #[must_use]
    pub const fn source(mut self, source: u64) -> Self {
        self.source = source;
        self
    }

    /// With what its functions ask for.
    #[must_use]
    pub const fn needs(mut self, needs: &'static [Need]) -> Self {
        self.needs = needs;
        self
    }
}
