//! Attributes that only mean something to another attribute: reached by themselves, they move on to it, or say where they belong.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote};
use syn::{Attribute, Item, parse_quote};

use crate::entry::{misplaced, on_item, stripped};
use crate::errors::Errors;
use crate::field::ours;
use crate::model::MODELS;

/// What has something around or inside, and where an attribute for these belongs.
pub(crate) const SCOPES: (&str, &str) = (
    "a `#[machine_model]`, `#[enclave]` or `#[layout]`",
    "a struct with `#[machine_model]`, `#[enclave]` or `#[layout]`",
);

/// `#[env]` and its like, above the attribute that makes the struct a model: moves below it.
pub(crate) fn on_machine(attribute: &str, arguments: TokenStream, item: TokenStream) -> TokenStream {
    on_model(attribute, ("a `#[machine_model]`", "a struct with `#[machine_model]`"), arguments, item)
}

/// The same for an attribute that belongs on other models: what it belongs on, and on what kind of struct.
pub(crate) fn on_model(
    attribute: &str,
    model: (&str, &str),
    arguments: TokenStream,
    item: TokenStream,
) -> TokenStream {
    on_item(item, |item, errors| {
        let Item::Struct(mut item) = item else {
            return misplaced(attribute, model.0, item, errors);
        };
        if item.attrs.iter().any(|attribute| ours(attribute, MODELS).is_some()) {
            let name = Ident::new(attribute, Span::call_site());
            let moved: Attribute = parse_quote!(#[#name(#arguments)]);
            item.attrs.push(moved);
            return item.into_token_stream();
        }
        outside(attribute, model.1, Item::Struct(item), errors)
    })
}

/// `#[setup_task]` and its like, outside of an impl with `#[customization]`.
pub(crate) fn task(attribute: &str, item: TokenStream) -> TokenStream {
    // A method with `&self` is no item of its own: syn reads it as a function all the same.
    on_item(item, |item, errors| {
        outside(attribute, "a function in an impl with `#[customization]`", item, errors)
    })
}

fn outside(attribute: &str, belongs: &str, item: Item, errors: &mut Errors) -> TokenStream {
    errors.push(syn::Error::new(Span::call_site(), format!("`#[{attribute}]` belongs on {belongs}")));
    let item = stripped(item);
    quote!(#item)
}
