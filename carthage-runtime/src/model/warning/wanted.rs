//! What something in a layout asks for.

use std::collections::HashSet;

use super::super::key::Key;
use super::super::node::{Node, Role};
use super::super::place::{NONE, Placements};
use super::super::reference::Meaning;
use super::super::start::Until;
use super::super::value::{Mode, Need, Provide};
use super::{Field, held_by, origins};

/// Fields that something asks for.
#[derive(Default)]
pub(super) struct Wanted {
    /// Members and provided values.
    pub(super) fields: HashSet<Field>,
    /// Members, and what they stand for when they are asked for.
    pub(super) standing: HashSet<(Field, u64)>,
}

impl Wanted {
    pub(super) fn of(profiles: &[&'static Placements]) -> Self {
        let mut wanted = Self::default();
        for all in profiles {
            for placement in origins(all) {
                wanted.item(all, placement.row, placement.node());
            }
        }
        wanted
    }

    fn item(&mut self, all: &'static Placements, row: u32, node: &'static Node) {
        for dependency in node.depends_on {
            match dependency.until {
                Until::Value(_) => self.value(all, row, dependency.key),
                Until::Done | Until::Command(..) => self.placed(all, row, dependency.key, dependency.field),
            }
        }
        for (index, part) in node.parts.iter().enumerate() {
            match &part.role {
                Role::Link(link) => self.placed(all, row, link.network, None),
                Role::Inject(need) => self.need(all, row, need),
                Role::Customize(customization) => {
                    let needs = customization.tasks.iter().flat_map(|task| task.needs);
                    needs.for_each(|need| self.need(all, row, need));
                }
                Role::Provide(provide) => self.provide(all, row, (node, index), provide),
                Role::Member(_) | Role::Taken(_) => {}
            }
        }
    }

    fn provide(
        &mut self,
        all: &'static Placements,
        row: u32,
        (node, index): (&'static Node, usize),
        provide: &'static Provide,
    ) {
        let item = node.key.id();
        if provide.mentioned {
            self.fields.insert((item, index));
        }
        provide.needs.iter().for_each(|need| self.need(all, row, need));
        for used in provide.uses {
            // Beside it: of the same role, if it is a role's.
            let sibling = match node.parts[index].field.rsplit_once('.') {
                Some((way, _)) => &format!("{way}.{used}"),
                None => *used,
            };
            let sibling = node.parts.iter().position(|part| part.field == sibling);
            self.fields.extend(sibling.map(|sibling| (item, sibling)));
        }
        if !provide.from.is_empty()
            && let Some(from) = inside(all, row, provide.from)
        {
            self.value(all, from, provide.key);
        }
    }

    fn need(&mut self, all: &'static Placements, row: u32, need: &'static Need) {
        match need.mode {
            mode if mode.is_placed() => self.placed(all, row, need.key, need.field),
            Mode::Required | Mode::Optional | Mode::Deferred => self.value(all, row, need.key),
            // Whichever there are, with whatever constraints.
            _ => {
                for placement in origins(all) {
                    let parts = placement.node().parts.iter().enumerate();
                    let found = parts.filter(|(_, part)| {
                        matches!(&part.role, Role::Provide(provide) if provide.key.plain() == need.key.plain())
                    });
                    self.fields.extend(found.map(|(index, _)| (placement.key().id(), index)));
                }
            }
        }
    }

    fn value(&mut self, all: &'static Placements, row: u32, key: Key) {
        let entry = all.provider(row, key.id());
        if entry != NONE {
            let entry = &all.entries[entry as usize];
            self.fields.insert((all.rows[entry.container as usize].node.key.id(), entry.part as usize));
        }
    }

    fn placed(&mut self, all: &'static Placements, row: u32, key: Key, field: Option<&str>) {
        if let Meaning::One { target, .. } = all.meaning(row, key.id(), field)
            && let Some(target) = all.get(target as usize)
            && let Some(held) = held_by(target)
        {
            self.fields.insert(held);
            if target.key() != key {
                self.standing.insert((held, key.id()));
            }
        }
    }
}

/// The row to which these fields lead.
fn inside(all: &'static Placements, row: u32, fields: &[&str]) -> Option<u32> {
    fields.iter().try_fold(row, |row, field| {
        let parts = all.rows[row as usize].node.parts;
        let part = parts.iter().position(|part| part.field == *field)?;
        let row = all.first_of(row, part as u32);
        (row != NONE).then_some(row)
    })
}
