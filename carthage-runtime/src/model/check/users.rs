//! Tasks run as a user that who logs in can become.

use super::super::node::{Node, Role, TaskNode};
use super::super::place::Placements;
use super::super::text::{Text, same};
use super::words::{LINE, fields, part_at, quoted};
use super::{Check, Finding, Rule};

/// Who logs in and is not root, with no way to become another.
const fn bound(node: &Node) -> Option<&'static str> {
    match &node.login {
        Some(login) if login.privilege.is_none() => match login.user {
            Some(user) if !same(user, "root") && !same(user, "0") => Some(user),
            _ => None,
        },
        _ => None,
    }
}

impl Check<'_> {
    /// The users of a customization's tasks.
    pub(super) const fn users(&mut self, row: u32, part: u32, node: &Node, tasks: &'static [TaskNode]) {
        let Some(login) = bound(node) else { return };
        let mut i = 0;
        while i < tasks.len() {
            if let Some(user) = tasks[i].user
                && !same(user, login)
            {
                self.findings.add(Finding::new(Rule::NoPrivilege, row, part).item(i as u32));
            }
            i += 1;
        }
    }
}

pub(super) const fn tell(finding: &Finding, all: &'static Placements, text: &mut Text<'_>) {
    let part = part_at(all, finding.row, finding.part);
    let Role::Customize(node) = &part.role else { return };
    let task = &node.tasks[finding.item as usize];
    let (Some(user), Some(login)) = (task.user, bound(all.rows[finding.row as usize].node)) else { return };
    text.str("task ");
    quoted(text, task.name);
    text.str(" of ");
    quoted(text, node.key.name());
    text.str(" runs as ");
    quoted(text, user);
    text.str(", but who logs in to ");
    fields(text, all, finding.row);
    text.str(", ");
    quoted(text, login);
    text.str(", cannot become another user");
    text.str(LINE);
    text.str("task: ");
    text.at(task.at);
    text.str(", machine: ");
    text.at(all.rows[finding.row as usize].node.at);
    text.str(LINE);
    text.str("write `ssh_login_user = \"root\"` in its `#[machine_model(…)]`, or say how one becomes the other: `privilege = \"sudo\"`");
}
