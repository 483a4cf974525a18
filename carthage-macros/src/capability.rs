//! `impl On<I>`: what an item asks of the implementation that makes it, as bounds that the type system follows down the tree.

use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Attribute, Generics, Type, WhereClause, WherePredicate, parse_quote};

use crate::expand::with_models;
use crate::field::Role;
use crate::model::Model;
use crate::node::condition;

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
        quote_spanned! {self.span=>
            <#subject as ::carthage::machine::capability::Capable>::Me: ::carthage::machine::capability::#name
        }
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
                quote!(const _: () = { const fn machine_asks_for<Implementation>()
                    where Implementation: ::carthage::machine::implementation::Implementation, #bound {}
                    machine_asks_for::<#own>() };)
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
        None => {
            let mut parts = TokenStream::new();
            let bounds: Vec<_> = members
                .enumerate()
                .map(|(i, (cfgs, ty))| match cfgs.is_empty() {
                    true => me(ty),
                    false => perhaps(model, i, cfgs, ty, &mut parts),
                })
                .map(|member| quote!(#member: ::carthage::machine::implementation::On<Implementation>))
                .collect();
            let on = on(model, bounds);
            if parts.is_empty() { on } else { quote!(const _: () = { #parts #on };) }
        }
        Some(own) => {
            let on = on(model, []);
            let assertions = members.map(|(cfgs, ty)| {
                let member = me(ty);
                quote! {
                    #(#cfgs)*
                    const _: fn() = <#own as ::carthage::machine::implementation::Implementation>::makes::<#member>;
                }
            });
            quote!(#on #(#assertions)*)
        }
    }
}

/// A type that stands for a member with `#[cfg(…)]`, which cannot stand on a bound: it asks for what the member asks for, if
/// that is there.
fn perhaps(model: &Model, i: usize, cfgs: &[Attribute], ty: &Type, parts: &mut TokenStream) -> TokenStream {
    let (name, member, condition) = (format_ident!("Member{i}"), me(ty), condition(cfgs));
    let generics = with_models(&model.item.generics);
    let types = generics.type_params().map(|parameter| &parameter.ident);
    let (of_impl, of_type, clause) = model.item.generics.split_for_impl();
    let with = |bound: TokenStream| {
        let (head, clause) = for_any(&generics, [bound]);
        quote!(impl #head ::carthage::machine::implementation::On<Implementation> for #name #of_type #clause {})
    };
    let (there, absent) = (
        with(quote!(#member: ::carthage::machine::implementation::On<Implementation>)),
        with(TokenStream::new()),
    );
    parts.extend(quote! {
        #[doc(hidden)]
        #[allow(unreachable_pub, dead_code)]
        pub struct #name #of_impl (::core::marker::PhantomData<(#(fn() -> #types,)*)>) #clause;
        #[cfg(#condition)]
        #there
        #[cfg(not(#condition))]
        #absent
    });
    quote!(#name #of_type)
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
    let (_, of_type, _) = model.item.generics.split_for_impl();
    let (head, clause) = for_any(&with_models(&model.item.generics), bounds);
    quote! {
        #[automatically_derived]
        impl #head ::carthage::machine::implementation::On<Implementation> for #ident #of_type #clause {}
    }
}

/// `<Implementation: …, …>` and the `where` clause with these bounds.
fn for_any(generics: &Generics, bounds: impl IntoIterator<Item = TokenStream>) -> (TokenStream, WhereClause) {
    let mut generics = generics.clone();
    generics
        .params
        .insert(0, parse_quote!(Implementation: ::carthage::machine::implementation::Implementation));
    let mut clause = generics.make_where_clause().clone();
    let bounds = bounds.into_iter().filter(|bound| !bound.is_empty());
    clause.predicates.extend(bounds.map(|bound| -> WherePredicate { parse_quote!(#bound) }));
    let (head, _, _) = generics.split_for_impl();
    (quote!(#head), clause)
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
