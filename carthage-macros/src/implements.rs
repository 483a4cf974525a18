//! `#[role]` on a trait, and `#[implements(dyn Database)]` on what is found by it.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{ItemStruct, ItemTrait, Type, parse_quote};

use crate::errors::Errors;
use crate::field;
use crate::model;
use crate::names::kebab;
use crate::node::{at, key_called};
use crate::options::{self, Options};
use crate::types;

/// Takes them off the struct.
pub(crate) fn take(attribute: &str, item: &mut ItemStruct, errors: &mut Errors) -> Vec<Type> {
    let mut traits = Vec::new();
    for (_, found) in field::take(&mut item.attrs, &["implements"]) {
        if !matches!(attribute, "machine_model" | "role") {
            errors.at(
                &found,
                "machines are found by traits: `#[implements]` belongs on a `#[machine_model]` or `#[role]`",
            );
            continue;
        }
        let arguments = options::arguments(&found, errors);
        if arguments.is_empty() {
            errors.at(&found, "say by which trait it is found: `#[implements(dyn Database)]`");
            continue;
        }
        match errors.keep(syn::parse2::<Type>(arguments)) {
            Some(Type::TraitObject(object)) if object.bounds.len() == 1 => {
                traits.push(Type::TraitObject(object))
            }
            Some(other) => {
                let text = types::text(&other);
                errors.at(
                    &other,
                    format!(
                        "expected `dyn` of one trait with `#[role]`, such as `dyn Database`, not `{text}`"
                    ),
                );
            }
            None => {}
        }
    }
    traits
}

/// What the node has of them, after its fields.
pub(crate) fn parts(traits: &[Type]) -> impl Iterator<Item = TokenStream> {
    traits.iter().map(|ty| {
        let (name, at) = (types::text(ty), at(ty.span()));
        let node = quote_spanned!(ty.span()=> <#ty as ::carthage::layout::RoleTrait>::NODE);
        quote!(::carthage::model::Part::new(
            #name,
            #at,
            ::carthage::model::Role::Taken(::carthage::model::Taken::new(#node, &[])),
        ))
    })
}

/// `Model::implements`.
pub(crate) fn function(traits: &[Type]) -> Option<TokenStream> {
    let lines = traits.iter().map(|ty| {
        quote_spanned! {ty.span()=>
            <#ty as ::carthage::layout::RoleTrait>::found_at(place, ::std::sync::Arc::<Self>::clone(me));
        }
    });
    (!traits.is_empty()).then(|| {
        quote! {
            fn implements(me: &::std::sync::Arc<Self>, place: &::carthage::layout::Place) {
                #(#lines)*
            }
        }
    })
}

/// `#[role]` on a trait.
pub(crate) fn expand(arguments: TokenStream, mut item: ItemTrait, errors: &mut Errors) -> TokenStream {
    Options::parse("role", &[], arguments, errors);
    if !item.generics.params.is_empty() {
        errors.at(&item.generics, "a trait by which machines are found has no parameters");
        return quote!(#item);
    }
    // What is found is shared by all that run at the same time.
    for bound in
        [parse_quote!(::core::marker::Send), parse_quote!(::core::marker::Sync), parse_quote!('static)]
    {
        item.supertraits.push(bound);
    }
    item.colon_token.get_or_insert_default();
    let ident = &item.ident;
    let (name, about, at) = (kebab(&ident.to_string()), model::about(&item.attrs), at(ident.span()));
    let key = key_called(ident, &format!("dyn {ident}"));
    quote! {
        #item

        #[automatically_derived]
        impl ::carthage::layout::Findable for dyn #ident {
            const FOUND: ::carthage::model::Key = #key;
        }
        #[automatically_derived]
        impl ::carthage::layout::AtMachine for dyn #ident {}
        #[automatically_derived]
        impl ::carthage::layout::RoleTrait for dyn #ident {
            const NODE: &'static ::carthage::model::Node = &::carthage::model::Node::new(
                ::carthage::model::Kind::Trait,
                <dyn #ident as ::carthage::layout::Findable>::FOUND,
                #name,
                #at,
            )
            .about(#about);
        }
    }
}
