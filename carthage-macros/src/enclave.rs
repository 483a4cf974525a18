//! `#[enclave]`.

use proc_macro2::TokenStream;
use quote::quote;
use syn::ItemStruct;

use crate::container::Container;
use crate::errors::Errors;
use crate::field::Role;
use crate::model::{self, Model};
use crate::options::{self, Known, Options};
use crate::start;
use crate::warning;

const OPTIONS: &[Known] = &[
    options::text("domain", "domain = \"algebra\""),
    options::type_("implementation", "implementation = Sandbox"),
    options::text("name", "name = \"algebra\""),
    model::RESOLVABLE,
    start::OVERRIDES,
    start::DYNAMIC,
];

pub(crate) fn expand(arguments: TokenStream, item: ItemStruct, errors: &mut Errors) -> TokenStream {
    let mut options = Options::parse("enclave", OPTIONS, arguments, errors);
    let before = errors.count();
    let mut container = Container::parse("enclave", &mut options, item, errors);
    let empty = (errors.count() == before).then(|| warn_of_no_members(&mut container.model)).flatten();
    let expanded = container.expand("Enclave");
    quote!(#expanded #empty)
}

/// Without members no machine can be in it; of one that has some, only the whole tree tells.
fn warn_of_no_members(model: &mut Model) -> Option<TokenStream> {
    // One that is resolved is a model of the user's own kind.
    if model.resolvable.is_some() || model.fields.iter().any(|field| matches!(field.role, Role::Member(_))) {
        return None;
    }
    let ident = &model.item.ident;
    let text = format!(
        "no machine can be in `{ident}`: it has no members\nwrite some, such as `web: Web`, or remove the enclave"
    );
    Some(warning::emit("enclave_without_members", ident.span(), &text, &mut model.item.attrs))
}
