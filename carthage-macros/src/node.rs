//! `Key`, `Node` and what they are made of: the description that every item writes of itself.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::{Attribute, Expr, Type};

use crate::field::{Field, Link, Role};
use crate::member::Count;
use crate::provide;
use crate::tokens;

/// `At::new(…)` for the line of `span`.
pub(crate) fn at(span: Span) -> TokenStream {
    // `line!()` is the line of the tokens that it is written with, or else the attribute's.
    let line = quote_spanned!(span=> ::core::line!());
    quote!(::carthage::model::At { file: ::core::file!(), line: #line })
}

/// `Key::new(…)` for the item `ident`.
pub(crate) fn key(ident: &Ident) -> TokenStream {
    key_called(ident, &ident.to_string())
}

/// The same of an item that messages call `name`.
pub(crate) fn key_called(ident: &Ident, name: &str) -> TokenStream {
    let (line, column) = {
        let span = ident.span();
        (quote_spanned!(span=> ::core::line!()), quote_spanned!(span=> ::core::column!()))
    };
    quote!(::carthage::model::Key::new(::core::module_path!(), #name, #line, #column))
}

/// `Some(…)` or `None`.
pub(crate) fn option(value: Option<impl ToTokens>) -> TokenStream {
    match value {
        Some(value) => quote!(::core::option::Option::Some(#value)),
        None => quote!(::core::option::Option::None),
    }
}

/// The position of a part in the node, when the `cfg`s of those before it are known.
pub(crate) fn position(fields: &[Field], index: usize) -> TokenStream {
    let before = &fields[..index];
    let certain = before.iter().filter(|field| field.cfgs.is_empty()).count();
    let perhaps = before.iter().filter(|field| !field.cfgs.is_empty()).map(|field| condition(&field.cfgs));
    quote!(#certain #(+ ::core::cfg!(#perhaps) as usize)*)
}

/// `all(…)` of the conditions of `#[cfg(…)]` attributes.
pub(crate) fn condition(cfgs: &[Attribute]) -> TokenStream {
    let conditions = cfgs.iter().filter_map(|cfg| cfg.meta.require_list().ok().map(|list| &list.tokens));
    quote!(all(#(#conditions),*))
}

pub(crate) fn parts(fields: &[Field]) -> impl Iterator<Item = TokenStream> {
    fields.iter().map(|field| {
        let (cfgs, name, at) = (&field.cfgs, field.name(), at(field.ident.span()));
        let role = role(field, fields);
        quote!(#(#cfgs)* ::carthage::model::Part { field: #name, at: #at, role: ::carthage::model::Role::#role })
    })
}

fn role(field: &Field, fields: &[Field]) -> TokenStream {
    let ty = &field.ty;
    match &field.role {
        Role::Member(member) => {
            let ty = &member.ty;
            let count = match &member.count {
                Count::One => None,
                Count::Array(count) => Some(quote!(.count(::carthage::model::Count::Array(#count)))),
                Count::Fleet(_) => Some(quote!(.count(::carthage::model::Count::Fleet))),
            };
            let name = member.name.as_ref().map(|name| quote!(.name(#name)));
            let domain = member.domain.as_ref().map(|domain| quote!(.domain(#domain)));
            let is = member.is.iter().map(|ty| quote!(<#ty as ::carthage::layout::Model>::NODE));
            let is = (!member.is.is_empty()).then(|| quote!(.is(&[#(#is),*])));
            let when = member.when.as_ref().map(|_| quote!(.when()));
            let moved_from = &member.moved_from;
            let only = member.only.iter().map(ToString::to_string);
            let only = (!member.only.is_empty()).then(|| quote!(.only(&[#(#only),*])));
            quote!(Member(
                ::carthage::model::Member::new(<#ty as ::carthage::layout::Model>::NODE) #count #name #domain #is #when #only #moved_from
            ))
        }
        Role::Link(Link { network, interface, address, mac, mtu, extras, .. }) => {
            let (address, mtu) = (option(address.as_ref()), option(mtu.as_ref()));
            let extras = extras.fields();
            let mac = option(mac.map(|mac| quote!([#(#mac),*])));
            quote!(Link(::carthage::model::Link {
                network: <#network as ::carthage::layout::NetworkModel>::NETWORK,
                interface: #interface,
                address: #address,
                mac: #mac,
                mtu: #mtu,
                #extras
            }))
        }
        Role::Customize(_) => quote!(Customize(<#ty as ::carthage::customize::Customization>::NODE)),
        Role::Inject(asked) => {
            let need = asked.need(ty, &field.name(), field.ident.span());
            quote!(Inject(#need))
        }
        Role::Taken { is_image } => {
            let as_image = is_image.then(|| quote!(.as_image()));
            quote!(Taken(<#ty as ::carthage::layout::Model>::TAKEN #as_image))
        }
        Role::Provide(provide) => {
            let provide = provide::node(provide, field, fields);
            quote!(Provide(#provide))
        }
    }
}

/// The fields that an expression mentions, without the one that it stands on.
pub(crate) fn mentioned<'a>(expr: &Expr, own: &Field, fields: &'a [Field]) -> Vec<&'a Field> {
    let names: Vec<String> =
        fields.iter().filter(|field| field.ident != own.ident).map(Field::name).collect();
    let found = tokens::mentioned(&quote!(#expr), &names);
    fields.iter().filter(|field| found.contains(&field.name())).collect()
}

/// The builder call for a node's implementation.
pub(crate) fn implementation(ty: &Type) -> TokenStream {
    quote!(.implementation(<#ty as ::carthage::machine::implementation::Implementation>::NODE))
}
