//! `#[mask(JoinToken)]` on a model: what scopes around provide and that is hidden from it and from all inside.

use proc_macro2::TokenStream;
use quote::quote;
use syn::parse::{ParseStream, Parser};
use syn::spanned::Spanned;
use syn::{ItemStruct, Token, Type};

use crate::constraint::{self, Constraint};
use crate::depends_on;
use crate::errors::Errors;
use crate::field;
use crate::node;
use crate::options;

/// A value that is hidden.
pub(crate) struct Mask {
    ty: Type,
    constraints: Vec<Constraint>,
}

/// Takes them off the struct.
pub(crate) fn take(attribute: &str, item: &mut ItemStruct, errors: &mut Errors) -> Vec<Mask> {
    let mut masks = Vec::new();
    for (_, found) in field::take(&mut item.attrs, &["mask"]) {
        if attribute == "network" {
            errors.at(&found, "nothing in a network asks for values; there is nothing to hide them from");
            continue;
        }
        if ["role", "image"].contains(&attribute) {
            errors.at(&found, format!("`#[mask]` belongs on {}", depends_on::SCOPES.0));
            continue;
        }
        let arguments = options::arguments(&found, errors);
        if arguments.is_empty() {
            errors.at(&found, "say what is hidden: `#[mask(JoinToken)]`");
            continue;
        }
        let parser = |input: ParseStream<'_>| {
            let ty = input.parse()?;
            let mut constraints: Vec<Constraint> = Vec::new();
            while !input.is_empty() {
                input.parse::<Token![,]>()?;
                if !input.is_empty() {
                    constraints.push(input.parse()?);
                }
            }
            Ok(Mask { ty, constraints })
        };
        let Some(mut mask) = errors.keep(parser.parse2(arguments)) else { continue };
        constraint::check(&mut mask.constraints, errors);
        if let Some(constraint) = mask.constraints.iter().find(|constraint| constraint.value.is_none()) {
            let kind = constraint.text();
            errors.at(&constraint.kind, format!("which `{kind}`? write `{kind} = …`"));
            continue;
        }
        masks.push(mask);
    }
    masks
}

/// The builder call for the node.
pub(crate) fn node(masks: &[Mask]) -> Option<TokenStream> {
    let masks: Vec<_> = masks
        .iter()
        .map(|Mask { ty, constraints }| {
            let (and, at) = (constraint::and(constraints), node::at(ty.span()));
            let key = quote!(<#ty as ::carthage::inject::Injectable>::KEY);
            quote!(::carthage::model::Mask { key: #key #and, at: #at })
        })
        .collect();
    (!masks.is_empty()).then(|| quote!(.masks(&[#(#masks),*])))
}
