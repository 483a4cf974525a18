//! The profiles of a layout by their names.

use super::Layout;
use crate::error::{Error, ErrorKind};
use crate::model::Placements;

/// Everything placed in the layout in the profile of this name, or in the first.
///
/// # Errors
/// When it declares no such profile.
pub(crate) fn in_profile<L: Layout>(name: Option<&str>) -> Result<&'static Placements, Error> {
    let Some(name) = name else { return Ok(L::PLACEMENTS) };
    let all = L::PROFILES.iter();
    if let Some(found) = all.clone().find(|placements| placements.profile.name == name) {
        return Ok(found);
    }
    let known: Vec<_> =
        all.map(|placements| placements.profile.name).filter(|name| !name.is_empty()).collect();
    let what = format!("layout `{}` has no profile `{name}`", L::NAME);
    let hint = match known.is_empty() {
        true => format!(
            "it declares none: write `#[profile({name})]` below `#[layout(…)]`, or leave `--profile` out"
        ),
        false => format!("it has `{}`", known.join("`, `")),
    };
    Err(Error::new(ErrorKind::Usage, what).hint(hint))
}

/// What directories, users and implementations call the layout in this profile: profiles are deployed beside each other.
pub(crate) fn name_in<L: Layout>(placements: &Placements) -> String {
    match placements.profile.name {
        "" => L::NAME.to_owned(),
        profile => format!("{}-{profile}", L::NAME),
    }
}
