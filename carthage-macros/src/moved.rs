//! `#[moved_from("mirror")]`: what a machine or a network was called before, on its model or on the field that places it.

use proc_macro2::TokenStream;
use quote::quote;
use syn::parse::Parser;
use syn::punctuated::Punctuated;
use syn::{Attribute, ItemStruct, LitStr, Token};

use crate::errors::Errors;
use crate::field;
use crate::literal;
use crate::member::{Count, Member};
use crate::options;

/// Its name.
const NAME: &str = "moved_from";

/// Takes it off the struct; answers the builder call for the node.
pub(crate) fn take(on: &str, item: &mut ItemStruct, errors: &mut Errors) -> TokenStream {
    let taken = taken(&mut item.attrs, errors);
    if let (Some(attribute), false) = (&taken, ["machine_model", "network"].contains(&on)) {
        errors.at(
            attribute,
            format!("`#[moved_from]` belongs on a machine or a network; `#[{on}]` is neither: write it on what is inside"),
        );
        return TokenStream::new();
    }
    call(taken.as_ref(), errors)
}

/// Takes it off a field, where it is read once the field is known to be a member.
pub(crate) fn taken(attributes: &mut Vec<Attribute>, errors: &mut Errors) -> Option<Attribute> {
    let taken = field::take(attributes, &[NAME]);
    if let [_, (_, again), ..] = &taken[..] {
        errors.at(
            again,
            "`#[moved_from]` is given twice; write all names in one: `#[moved_from(\"b\", \"a\")]`",
        );
    }
    taken.into_iter().next().map(|(_, attribute)| attribute)
}

/// Of a member field: the builder call for the member.
pub(crate) fn on_member(attribute: Option<&Attribute>, member: &Member, errors: &mut Errors) -> TokenStream {
    if let (Some(attribute), Count::Fleet(_)) = (attribute, &member.count) {
        errors.at(
            attribute,
            "the members of a fleet are called by the names in its list, which say nothing of what they were called before",
        );
        return TokenStream::new();
    }
    call(attribute, errors)
}

fn call(attribute: Option<&Attribute>, errors: &mut Errors) -> TokenStream {
    let Some(attribute) = attribute else { return TokenStream::new() };
    let arguments = options::arguments(attribute, errors);
    let wanted = "say what it was called before: `#[moved_from(\"mirror\")]`";
    if arguments.is_empty() {
        errors.at(attribute, wanted);
        return TokenStream::new();
    }
    let parser = Punctuated::<LitStr, Token![,]>::parse_terminated;
    let Ok(texts) = parser.parse2(arguments.clone()) else {
        errors.at(&arguments, wanted);
        return TokenStream::new();
    };
    let mut names: Vec<String> = Vec::new();
    for text in texts {
        let name = text.value();
        // A dot at the end: it is complete as it is.
        match literal::domain(name.strip_suffix('.').unwrap_or(&name)) {
            Err(_) => errors.at(
                &text,
                format!("`{name}` is no name: write the old one, such as `mirror`, or with its domain, `mirror.algebra`"),
            ),
            Ok(_) if names.contains(&name) => errors.at(&text, format!("`{name}` is given twice")),
            Ok(_) => names.push(name),
        }
    }
    quote!(.moved_from(&[#(#names),*]))
}
