//! Versions of one source, as edits leave it that no list can make: what is called otherwise, what has another kind or another policy.

use carthage::backend::Simulated;
use carthage::deploy::{Access, Deployment, Options};
use carthage::prelude::*;

use super::models::{All, Extra, Imaged, OpenVault, Plain, Solo, Vault, Wired, Yard};
use super::story::{Story, said};

/// How many there are.
pub(crate) const VERSIONS: usize = 5;

/// The yard, as it is.
#[network(v4 = "10.72.0.0/24", pool = "10.72.0.5-10.72.0.200")]
pub(crate) struct Paved;

/// The yard, with other packets.
#[network(v4 = "10.72.0.0/24", pool = "10.72.0.5-10.72.0.200", mtu = 1400)]
pub(crate) struct Muddy;

/// As it is.
#[layout(name = "paper", implementation = Simulated)]
struct Paper {
    all: All,
    #[member(is = Yard)]
    #[moved_from("court")]
    yard: Paved,
    #[member(when = said(Story::has_solo))]
    #[moved_from("hermit")]
    solo: Option<Solo>,
    #[member(when = said(Story::has_extras))]
    extra: Option<[Extra; 2]>,
}

/// After an edit for which machines are made anew.
#[layout(name = "paper", implementation = Simulated)]
struct OtherImage {
    all: All<Imaged>,
    #[member(is = Yard)]
    #[moved_from("court")]
    yard: Muddy,
    #[member(when = said(Story::has_solo))]
    #[moved_from("hermit")]
    solo: Option<Solo>,
    #[member(when = said(Story::has_extras))]
    extra: Option<[Extra; 3]>,
}

/// After an edit for which machines are restarted; and some things have got other names.
#[layout(name = "paper", implementation = Simulated)]
struct OtherLinks {
    all: All<Wired>,
    #[member(is = Yard)]
    #[moved_from("yard")]
    court: Paved,
    #[member(name = "hermit", when = said(Story::has_solo))]
    #[moved_from("solo")]
    hermit: Option<Solo>,
    #[member(when = said(Story::has_extras))]
    extra: Option<[Extra; 1]>,
}

/// After an edit that lets go of what was kept.
#[layout(name = "paper", implementation = Simulated)]
struct OtherPolicy {
    all: All<Plain, OpenVault>,
    #[member(is = Yard)]
    #[moved_from("yard")]
    court: Muddy,
    #[member(name = "hermit", when = said(Story::has_solo))]
    #[moved_from("solo")]
    hermit: Option<Solo>,
}

/// With the names of the first, of which nobody says what they were before.
#[layout(name = "paper", implementation = Simulated)]
struct Forgetful {
    all: All<Plain, Vault>,
    #[member(is = Yard)]
    yard: Paved,
    #[member(when = said(Story::has_solo))]
    solo: Option<Solo>,
}

/// Opens the version that the story tells of.
pub(crate) async fn open(
    version: usize,
    access: Access,
    options: Options,
) -> Result<Deployment, carthage::Error> {
    Ok(match version {
        0 => Deployment::open::<Paper>(access, options).await?.0,
        1 => Deployment::open::<OtherImage>(access, options).await?.0,
        2 => Deployment::open::<OtherLinks>(access, options).await?.0,
        3 => Deployment::open::<OtherPolicy>(access, options).await?.0,
        _ => Deployment::open::<Forgetful>(access, options).await?.0,
    })
}

/// The first of the names of what has had several, which the world may still know it by.
pub(crate) fn first_name(name: &str) -> &str {
    match name {
        "court" => "yard",
        "hermit" => "solo",
        other => other,
    }
}
