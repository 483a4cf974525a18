//! Links that are more than a plug in a network: VLAN trunks, cables, and `link!(Switch.port1)`, which names one.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::parse::{Parse, ParseStream};
use syn::spanned::Spanned;
use syn::{Expr, Token, Type, TypePath};

use crate::capability::Capability;
use crate::errors::Errors;
use crate::expand::with_models;
use crate::field::{self, Field, Role};
use crate::model::Model;
use crate::node::{at, option};
use crate::options::Options;
use crate::words;

/// What a link says beyond its network and its address.
#[derive(Default)]
pub(crate) struct Extras {
    vlans: Vec<u64>,
    peer: Option<Named>,
    needs: Vec<Capability>,
}

/// `Switch.port1`
pub(crate) struct Named {
    model: TypePath,
    field: Ident,
}

impl Parse for Named {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let wrong = |span| {
            syn::Error::new(
                span,
                "a link is named by its machine's model and its field: `link!(Switch.port1)`",
            )
        };
        let model: TypePath = input.parse().map_err(|error| wrong(error.span()))?;
        input.parse::<Token![.]>().map_err(|_| wrong(model.span()))?;
        let field = input.parse().map_err(|_| wrong(model.span()))?;
        if input.is_empty() { Ok(Self { model, field }) } else { Err(wrong(input.span())) }
    }
}

impl Named {
    /// `link!(Switch.port1)` as the value of `name`, where a type may stand, or a text: what that is, and one.
    pub(crate) fn of(ty: &Type, name: &str, (other, text): (&str, &str)) -> syn::Result<Self> {
        match ty {
            Type::Macro(called) if called.mac.path.is_ident("link") => called.mac.parse_body(),
            _ => {
                let message = format!(
                    "a {name} is {other} or a link; write `{name} = \"{text}\"` or `{name} = link!(Router.inside)`"
                );
                Err(syn::Error::new_spanned(ty, message))
            }
        }
    }

    /// The constant that describes it: there is no such field if there is no such link.
    pub(crate) fn expand(&self) -> TokenStream {
        let Self { model, field } = self;
        let links = quote_spanned!(model.span()=> <#model as ::carthage::layout::HasLinks>::LINKS);
        quote!(#links.#field)
    }
}

/// Reads them.
pub(crate) fn extras(options: &mut Options, errors: &mut Errors) -> Extras {
    let mut extras = Extras::default();
    if let Some((vlans, span)) = options.numbers("vlans", words::vlan, errors) {
        extras.vlans = vlans;
        extras.needs.push(Capability::new("VlanTrunk", span));
    }
    let span = options.span("peer");
    if let (Some(span), Some(expr)) = (span, options.expr("peer")) {
        let parsed = match &expr {
            Expr::Macro(called) if called.mac.path.is_ident("link") => called.mac.parse_body(),
            _ => {
                Err(syn::Error::new_spanned(&expr, "`peer` names a link; write `peer = link!(Switch.port1)`"))
            }
        };
        extras.peer = errors.keep(parsed);
        extras.needs.push(Capability::new("Peers", span));
    }
    extras
}

impl Extras {
    /// The fields of the constant.
    pub(crate) fn fields(&self) -> TokenStream {
        let vlans = self.vlans.iter().map(|vlan| proc_macro2::Literal::u64_unsuffixed(*vlan));
        let peer = match &self.peer {
            Some(peer) => {
                let peer = peer.expand();
                quote!(::core::option::Option::Some(#peer))
            }
            None => quote!(::core::option::Option::None),
        };
        quote!(vlans: &[#(#vlans),*], peer: #peer,)
    }
}

/// What the links of a machine ask of its implementation. That it has links is asked once: all ask for the same.
pub(crate) fn needs(fields: &[Field]) -> impl Iterator<Item = Capability> + '_ {
    let any = links(fields).next().map(|(_, link)| Capability::new("Links", link.span));
    any.into_iter().chain(links(fields).flat_map(|(_, link)| link.extras.needs.iter().cloned()))
}

fn links(fields: &[Field]) -> impl Iterator<Item = (&Field, &field::Link)> {
    fields.iter().filter_map(|field| match &field.role {
        Role::Link(link) => Some((field, link)),
        _ => None,
    })
}

/// `impl HasLinks`: a table whose fields are called as the links are.
pub(crate) fn table(model: &Model) -> Option<TokenStream> {
    links(&model.fields).next()?;
    let ident = &model.item.ident;
    let name = format_ident!("LinksOf{ident}", span = Span::call_site());
    let fields = links(&model.fields)
        .map(|(Field { ident, cfgs, .. }, _)| quote!(#(#cfgs)* pub #ident: ::carthage::model::LinkRef));
    let values = links(&model.fields).map(|(field, link)| {
        let (ident, cfgs, name, at) = (&field.ident, &field.cfgs, field.name(), at(field.ident.span()));
        let (network, interface, address) = (&link.network, &link.interface, option(link.address.as_ref()));
        quote!(#(#cfgs)* #ident: ::carthage::model::LinkRef {
            machine: <Self as ::carthage::layout::Model>::KEY,
            field: #name,
            interface: #interface,
            network: <#network as ::carthage::layout::NetworkModel>::NETWORK,
            address: #address,
            at: #at,
        })
    });
    let generics = with_models(&model.item.generics);
    let (impl_generics, ty_generics, where_clause) = generics.split_for_impl();
    Some(quote! {
        const _: () = {
            #[doc(hidden)]
            #[allow(unreachable_pub, dead_code)]
            pub struct #name { #(#fields),* }
            #[automatically_derived]
            impl #impl_generics ::carthage::layout::HasLinks for #ident #ty_generics #where_clause {
                type Links = #name;
                const LINKS: #name = #name { #(#values),* };
            }
        };
    })
}
