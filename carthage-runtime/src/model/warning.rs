//! What holds together and is probably not meant: told by the command line, not by the compiler.
//!
//! An item may stand in several places, and a layout has several profiles: what is of use in any of them is of use.

#[cfg(test)]
mod tests;
mod wanted;

use std::collections::HashSet;

use super::key::At;
use super::node::{Kind, Role};
use super::place::{NONE, Placement, Placements, Row};
use wanted::Wanted;

/// Something that holds together and is probably not meant.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Warning {
    /// Which rule it is of: one of the names in [`Warning::RULES`].
    pub rule: &'static str,
    /// Where it stands.
    pub at: At,
    /// What it is.
    pub text: String,
    /// What to write instead.
    pub help: String,
}

impl Warning {
    /// The names of all rules.
    pub const RULES: &'static [&'static str] = &[
        UNNEEDED_VALUE,
        NO_MACHINES,
        NO_LINKS,
        UNNEEDED_STAND_IN,
        IDLE_MASK,
        SAME_PROFILE,
        UNMATCHED_IN_PROFILE,
    ];
}

const UNNEEDED_VALUE: &str = "unneeded-value";
const NO_MACHINES: &str = "no-machines";
const NO_LINKS: &str = "no-links";
const UNNEEDED_STAND_IN: &str = "unneeded-stand-in";
const IDLE_MASK: &str = "idle-mask";
const SAME_PROFILE: &str = "same-profile";
const UNMATCHED_IN_PROFILE: &str = "unmatched-in-profile";

/// A field of an item, wherever that is placed: the item's key, and the field's position.
type Field = (u64, usize);

impl Placements {
    /// What of a layout is probably not meant, in the order of the source; of these profiles, all that it has.
    ///
    /// What a field holds whose name begins with `_` is meant to be there, whoever uses it.
    #[must_use]
    pub fn warnings(profiles: &[&'static Self]) -> Vec<Warning> {
        let all = All {
            wanted: Wanted::of(profiles),
            populated: populated(profiles),
            hiding: hiding(profiles),
            told: HashSet::new(),
            warnings: Vec::new(),
        };
        all.find(profiles)
    }
}

/// The placements that are not just the likes of another in an array.
fn origins(all: &'static Placements) -> impl Iterator<Item = Placement> {
    all.iter().filter(|placement| placement.row().origin == placement.row)
}

/// The field that holds a placement; that of the layout is none.
fn held_by(placement: Placement) -> Option<Field> {
    let parent = placement.parent()?;
    Some((parent.key().id(), placement.row().part as usize))
}

/// The fields with machines inside, and whether the layout has any.
fn populated(profiles: &[&'static Placements]) -> HashSet<Option<Field>> {
    let all = profiles.iter().flat_map(|all| all.iter());
    let machines = all.filter(|placement| placement.kind() == Kind::Machine);
    machines.flat_map(Placement::scopes).map(held_by).collect()
}

/// The masks that hide something somewhere: by item, and position.
fn hiding(profiles: &[&'static Placements]) -> HashSet<Field> {
    let mut hiding = HashSet::new();
    for all in profiles {
        for placement in origins(all) {
            let Row { parent, .. } = *placement.row();
            for (index, mask) in placement.node().masks.iter().enumerate() {
                let key = mask.key.id();
                // What the scope itself provides is seen inside, whatever it hides.
                let entry = all.held(placement.row, key, false);
                let own = entry != NONE && all.entries[entry as usize].part != NONE;
                if parent != NONE && !own && all.provider(parent, key) != NONE {
                    hiding.insert((placement.key().id(), index));
                }
            }
        }
    }
    hiding
}

struct All {
    wanted: Wanted,
    populated: HashSet<Option<Field>>,
    hiding: HashSet<Field>,
    /// What was looked at: rule and field.
    told: HashSet<(&'static str, Option<Field>)>,
    warnings: Vec<Warning>,
}

impl All {
    fn find(mut self, profiles: &[&'static Placements]) -> Vec<Warning> {
        for placement in profiles.iter().flat_map(|all| origins(all)) {
            self.placed(placement);
            self.masks(placement);
            self.provided(placement);
        }
        self.profiles(profiles);
        self.warnings
    }

    /// Tells, unless this rule has told of this field.
    fn tell(&mut self, rule: &'static str, field: Option<Field>, at: At, text: String, help: String) {
        if self.told.insert((rule, field)) {
            self.warnings.push(Warning { rule, at, text, help });
        }
    }

    /// Of a member: whether there is anything in it, and whether it is used.
    fn placed(&mut self, placement: Placement) {
        let held = held_by(placement);
        let at = placement.part().map_or(placement.node().at, |part| part.at);
        let name = name(placement);
        if meant(placement) {
            return;
        }
        match placement.kind() {
            Kind::Enclave | Kind::Layout if !self.populated.contains(&held) => {
                let around = placement.parent();
                let also = around.is_some_and(|around| !self.populated.contains(&held_by(around)));
                // An enclave without members is what its attribute tells of.
                let members = |placement: Placement| {
                    placement.node().parts.iter().any(|part| matches!(part.role, Role::Member(_)))
                };
                if !also && (placement.kind() == Kind::Layout || members(placement)) {
                    let help = "place a machine in it, or remove it".to_owned();
                    self.tell(NO_MACHINES, held, at, format!("there is no machine in {name}"), help);
                }
            }
            Kind::Network if held.is_some_and(|held| !self.wanted.fields.contains(&held)) => {
                let text = format!("nothing is plugged into {name}");
                let help = format!(
                    "write `#[link] eth0: Link<{}>` in a machine, or remove it",
                    placement.key().name()
                );
                self.tell(NO_LINKS, held, at, text, help);
            }
            _ => {}
        }
        let (Some(held), Some(Role::Member(member))) = (held, placement.part().map(|part| &part.role)) else {
            return;
        };
        for other in member.is {
            let key = other.key;
            if !self.wanted.standing.contains(&(held, key.id())) {
                let text = format!("{name} stands for `{}`, which nothing refers to", key.name());
                let help = format!("remove `is = {}`", key.name());
                self.tell(UNNEEDED_STAND_IN, Some((held.0 ^ key.id(), held.1)), at, text, help);
            }
        }
    }

    fn masks(&mut self, placement: Placement) {
        let item = placement.key();
        for (index, mask) in placement.node().masks.iter().enumerate() {
            let field = (item.id(), index);
            if !self.hiding.contains(&field) {
                let text = format!("`{}` hides {}, which nothing around provides", item.name(), mask.key);
                let help = format!("remove `#[mask({})]`", mask.key.name());
                self.tell(IDLE_MASK, Some(field), mask.at, text, help);
            }
        }
    }

    fn provided(&mut self, placement: Placement) {
        let item = placement.key();
        for (index, part) in placement.node().parts.iter().enumerate() {
            let Role::Provide(provide) = &part.role else { continue };
            let field = (item.id(), index);
            if !self.wanted.fields.contains(&field) && !part.field.starts_with('_') {
                let text = format!(
                    "`{}` of `{}` provides {}, and nothing asks for it",
                    part.field,
                    item.name(),
                    provide.key
                );
                let help = format!(
                    "write `#[inject] {}: Arc<{}>` where it is needed, or remove it; `_{}` if only code of yours reads it",
                    part.field,
                    provide.key.name(),
                    part.field
                );
                self.tell(UNNEEDED_VALUE, Some(field), part.at, text, help);
            }
        }
    }

    fn profiles(&mut self, profiles: &[&'static Placements]) {
        let keys: HashSet<u64> =
            profiles.iter().flat_map(|all| all.iter()).map(|placement| placement.key().id()).collect();
        for (index, all) in profiles.iter().enumerate() {
            let profile = all.profile;
            let name = profile.name;
            if let Some(other) = profiles[..index].iter().find(|other| alike(all, other)) {
                let text = format!("profile `{name}` deploys the same as `{}`", other.profile.name);
                let help = format!(
                    "write what is different in it: `#[profile({name}, implementation = …)]`, or \
                     `#[member(only = {name})]` on a field"
                );
                self.warnings.push(Warning { rule: SAME_PROFILE, at: profile.at, text, help });
            }
            for (key, implementation) in profile.makes.iter().filter(|(key, _)| !keys.contains(&key.id())) {
                let key = key.name();
                let text =
                    format!("profile `{name}` says what `{key}` is made by, which is nowhere in the layout");
                let help = format!("remove `{key} = {}`", implementation.name);
                self.warnings.push(Warning { rule: UNMATCHED_IN_PROFILE, at: profile.at, text, help });
            }
        }
    }
}

/// Whether two profiles place the same, made by the same.
fn alike(one: &'static Placements, other: &'static Placements) -> bool {
    let what = |placement: Placement| {
        let made_by = (placement.kind() == Kind::Machine).then(|| placement.implementation()).flatten();
        (placement.key(), placement.path(), made_by.map(|implementation| implementation.name))
    };
    one.iter().map(what).eq(other.iter().map(what))
}

fn meant(placement: Placement) -> bool {
    placement.part().is_some_and(|part| part.field.starts_with('_'))
}

/// `` `lab` of `Algebra` ``, or the layout's type.
fn name(placement: Placement) -> String {
    match (placement.part(), placement.parent()) {
        (Some(part), Some(around)) => format!("`{}` of `{}`", part.field, around.key().name()),
        _ => format!("`{}`", placement.key().name()),
    }
}
