//! `#[profile(small, implementation = Sandbox, Router = BareMetal)]` on a layout: a way in which it is deployed.

use proc_macro2::{Ident, TokenStream};
use quote::quote;
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};
use syn::spanned::Spanned;
use syn::{ItemStruct, Token, Type};

use crate::capability;
use crate::errors::Errors;
use crate::field;
use crate::literal;
use crate::names;
use crate::node;
use crate::options;
use crate::types;

const EXAMPLE: &str = "#[profile(small, implementation = Sandbox)]";

/// A profile.
pub(crate) struct Profile {
    /// Its name, where it is written.
    pub(crate) name: Ident,
    pub(crate) implementation: Option<Type>,
    /// Models and enclaves that are made by something of their own.
    pub(crate) makes: Vec<(Type, Type)>,
}

/// Takes them off the layout.
pub(crate) fn take(item: &mut ItemStruct, errors: &mut Errors) -> Vec<Profile> {
    let mut profiles: Vec<Profile> = Vec::new();
    for (_, attribute) in field::take(&mut item.attrs, &["profile"]) {
        let arguments = options::arguments(&attribute, errors);
        if arguments.is_empty() {
            errors.at(&attribute, format!("say what it is called: `{EXAMPLE}`"));
            continue;
        }
        let Some(profile) = errors.keep((|input: ParseStream<'_>| Profile::parse(input)).parse2(arguments))
        else {
            continue;
        };
        if let Err(wrong) = literal::host_name(&profile.text()) {
            errors.at(&profile.name, format!("{wrong}; the profile's name is part of the deployment's"));
        }
        match profiles.iter().any(|other| other.name == profile.name) {
            true => errors.at(&profile.name, format!("there is a profile `{}` already", profile.name)),
            false => profiles.push(profile),
        }
    }
    profiles
}

impl Profile {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let expected = |span| syn::Error::new(span, format!("a profile begins with its name: `{EXAMPLE}`"));
        let name = Ident::parse_any(input).map_err(|error| expected(error.span()))?;
        if input.peek(Token![=]) {
            return Err(expected(name.span()));
        }
        let mut profile = Self { name, implementation: None, makes: Vec::new() };
        while !input.is_empty() {
            input.parse::<Token![,]>()?;
            if input.is_empty() {
                break;
            }
            let what: Type = input.parse()?;
            input.parse::<Token![=]>().map_err(|error| {
                let message =
                    "write `implementation = Sandbox`, or what one model is made by: `Router = BareMetal`";
                syn::Error::new(error.span(), message)
            })?;
            let made_by: Type = input.parse()?;
            let word = types::head(&what).unwrap_or_default();
            if word == "implementation" {
                if profile.implementation.replace(made_by).is_some() {
                    return Err(syn::Error::new_spanned(what, "`implementation` is given twice"));
                }
            } else if word.starts_with(char::is_lowercase) && types::text(&what) == word {
                let hint = names::did_you_mean(&word, ["implementation"]);
                let message = format!(
                    "unknown argument `{word}`{hint}\n\
                     `#[profile]` takes its name, `implementation`, and what single models are made by: `Router = BareMetal`"
                );
                return Err(syn::Error::new_spanned(what, message));
            } else {
                profile.makes.push((what, made_by));
            }
        }
        Ok(profile)
    }

    /// The name as text.
    pub(crate) fn text(&self) -> String {
        self.name.unraw().to_string().replace('_', "-")
    }

    /// `Profile::new(…)`.
    pub(crate) fn node(&self, all: &[Self]) -> TokenStream {
        let (name, at) = (self.text(), node::at(self.name.span()));
        let implementation = self.implementation.as_ref().map(node::implementation);
        let makes = self.makes.iter().map(|(what, made_by)| {
            quote!((
                <#what as ::carthage::layout::Model>::KEY,
                <#made_by as ::carthage::machine::implementation::Implementation>::NODE,
            ))
        });
        let makes = (!self.makes.is_empty()).then(|| quote!(.makes(&[#(#makes),*])));
        let among = all.iter().map(Self::text);
        quote!(::carthage::model::Profile::new(#name, #at).among(&[#(#among),*]) #implementation #makes)
    }

    /// That what is made by something of its own can be.
    pub(crate) fn assertions(&self) -> impl Iterator<Item = TokenStream> {
        self.makes.iter().map(|(what, made_by)| {
            let what = capability::model(what, what.span());
            quote! {
                const _: fn() =
                    <#made_by as ::carthage::machine::implementation::Implementation>::makes::<#what>;
            }
        })
    }
}
