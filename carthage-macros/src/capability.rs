//! `impl On<I>`: what an item asks of the implementation that makes it, as bounds that the type system follows down the tree.

use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{GenericParam, Type, parse_quote};

use crate::expand::with_models;
use crate::field::Role;
use crate::model::Model;

/// Something that the implementation must be able to do.
pub(crate) struct Capability {
    /// A trait of `carthage::machine::implementation`.
    name: &'static str,
    /// The argument that asks for it.
    span: Span,
}

impl Capability {
    pub(crate) fn new(name: &'static str, span: Span) -> Self {
        Self { name, span }
    }

    /// `subject: Capability`, all of it where the argument stands.
    fn bound(&self, subject: &TokenStream) -> TokenStream {
        let (subject, name) = (respan(subject.clone(), self.span), Ident::new(self.name, self.span));
        quote_spanned!(self.span=> #subject: ::carthage::machine::implementation::#name)
    }
}

/// For a machine: with an implementation of its own, it works with any; its needs are asserted at once.
pub(crate) fn machine(model: &Model, implementation: Option<&Type>, needs: &[Capability]) -> TokenStream {
    match implementation {
        None => on(model, needs.iter().map(|need| need.bound(&quote!(Implementation)))),
        Some(own) => {
            let on = on(model, []);
            let assertions = needs.iter().map(|need| {
                let (own, bound) =
                    (respan(own.to_token_stream(), need.span), need.bound(&quote!(Implementation)));
                quote!(const _: () = { const fn machine_asks_for<#bound>() {} machine_asks_for::<#own>() };)
            });
            quote!(#on #(#assertions)*)
        }
    }
}

/// For a container: what its members ask for, of the inherited implementation or of its own.
pub(crate) fn container(model: &Model, implementation: Option<&Type>) -> TokenStream {
    let members = model.fields.iter().filter_map(|field| match &field.role {
        Role::Member(member) => Some((&field.cfgs, &member.ty)),
        _ => None,
    });
    match implementation {
        // `cfg` cannot stand on a bound; a member that may be absent is checked when it is there.
        None => {
            let certain = members.filter(|(cfgs, _)| cfgs.is_empty());
            on(
                model,
                certain.map(|(_, ty)| {
                    let member = me(ty);
                    quote!(#member: ::carthage::layout::On<Implementation>)
                }),
            )
        }
        Some(own) => {
            let on = on(model, []);
            let assertions = members.map(|(cfgs, ty)| {
                let member = me(ty);
                quote!(#(#cfgs)* const _: () = {
                    const fn member_is_made_by<__M: ::carthage::layout::On<#own>>() {}
                    member_is_made_by::<#member>()
                };)
            });
            quote!(#on #(#assertions)*)
        }
    }
}

/// The member's type, by a way that leads through its being a model: if it is none, that is already said of this very place,
/// and rustc does not say it twice.
fn me(ty: &Type) -> TokenStream {
    let span = Span::call_site().located_at(ty.span());
    quote_spanned!(span=> <#ty as ::carthage::layout::Model>::Me)
}

/// Nothing is asked for.
pub(crate) fn anything(model: &Model) -> TokenStream {
    on(model, [])
}

fn on(model: &Model, bounds: impl IntoIterator<Item = TokenStream>) -> TokenStream {
    let ident = &model.item.ident;
    let mut generics = with_models(&model.item.generics);
    let (_, ty_generics, _) = model.item.generics.split_for_impl();
    let ty_generics = ty_generics.to_token_stream();
    let parameter: GenericParam =
        parse_quote!(Implementation: ::carthage::machine::implementation::Implementation);
    generics.params.insert(0, parameter);
    let mut clause = generics.make_where_clause().clone();
    generics.where_clause = None;
    clause.predicates.extend(bounds.into_iter().map(|bound| -> syn::WherePredicate { parse_quote!(#bound) }));
    let (impl_generics, _, _) = generics.split_for_impl();
    quote! {
        #[automatically_derived]
        impl #impl_generics ::carthage::layout::On<Implementation> for #ident #ty_generics #clause {}
    }
}

/// The same tokens at another place: rustc points at a type's own tokens when a bound on it fails.
fn respan(tokens: TokenStream, span: Span) -> TokenStream {
    tokens
        .into_iter()
        .map(|mut token| {
            if let TokenTree::Group(group) = &token {
                token = TokenTree::Group(proc_macro2::Group::new(
                    group.delimiter(),
                    respan(group.stream(), span),
                ));
            }
            // Names are still looked up where the user wrote them.
            token.set_span(span.resolved_at(token.span()));
            token
        })
        .collect()
}
