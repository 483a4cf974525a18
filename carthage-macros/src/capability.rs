//! `impl On<I>`: what an item asks of the implementation that makes it, as bounds that the type system follows down the tree.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Attribute, GenericParam, Generics, Path, Type};

use crate::expand::with_models;
use crate::field::{Field, Role};
use crate::model::Model;
use crate::node::condition;
use crate::tokens::respan;

/// Something that the implementation must be able to do.
#[derive(Clone)]
pub(crate) struct Capability {
    /// A trait of `carthage::machine::implementation`.
    name: &'static str,
    /// Its argument.
    of: Option<Path>,
    /// The argument that asks for it.
    span: Span,
}

impl Capability {
    pub(crate) fn new(name: &'static str, span: Span) -> Self {
        Self { name, of: None, span }
    }

    /// Options of this type.
    pub(crate) fn takes(ty: &Path) -> Self {
        Self { name: "Takes", of: Some(ty.clone()), span: ty.span() }
    }

    /// Where this is asked for, if it is.
    pub(crate) fn asked(needs: &[Self], name: &str) -> Option<Span> {
        needs.iter().find(|need| need.name == name).map(|need| need.span)
    }

    /// `subject: Capability`, all of it where the argument stands.
    fn bound(&self, subject: &TokenStream) -> TokenStream {
        let (subject, name) = (respan(subject.clone(), self.span), Ident::new(self.name, self.span));
        if let Some(of) = &self.of {
            return quote_spanned! {self.span=>
                <#subject as ::carthage::machine::capability::Capable>::Me: ::carthage::machine::implementation::#name<#of>
            };
        }
        quote_spanned! {self.span=>
            <#subject as ::carthage::machine::capability::Capable>::Me: ::carthage::machine::capability::#name
        }
    }
}

/// The builder call for what a machine's arguments ask for, without what its node tells by itself: that it has links, and that
/// it does not say where it is. Options of implementations elsewhere are types, which no constant can look for.
pub(crate) fn asks(needs: &[Capability]) -> Option<TokenStream> {
    let names =
        needs.iter().map(|need| need.name).filter(|name| !["Links", "Located", "Takes"].contains(name));
    let names: Vec<_> = names.map(|name| Ident::new(name, Span::call_site())).collect();
    (!names.is_empty()).then(|| quote!(.asks(&[#(::carthage::machine::capability::Capability::#names),*])))
}

/// For a machine: with an implementation of its own, it works with any; its needs are asserted at once.
pub(crate) fn machine(model: &Model, implementation: Option<&Type>, needs: &[Capability]) -> TokenStream {
    let Some(own) = implementation else {
        let inherited = quote!(Implementation);
        let mut parts = TokenStream::new();
        let mut bounds: Vec<_> = needs.iter().map(|need| need.bound(&inherited)).collect();
        bounds.extend(customized(model, &inherited, &mut parts));
        bounds.extend(of_members(model, &inherited, &mut parts));
        return whole(&on(model, bounds), &parts);
    };
    let assertions = needs.iter().map(|need| {
        let (own, bound) = (respan(own.to_token_stream(), need.span), need.bound(&quote!(Implementation)));
        quote!(const _: () = { const fn machine_asks_for<Implementation>()
            where Implementation: ::carthage::machine::implementation::Implementation, #bound {}
            machine_asks_for::<#own>() };)
    });
    // What its customizations work on may depend on the model's parameters: that is asserted where it is placed.
    if !model.item.generics.params.is_empty() {
        let mut parts = TokenStream::new();
        let mut bounds: Vec<_> = customized(model, &own.to_token_stream(), &mut parts).collect();
        bounds.extend(of_members(model, &own.to_token_stream(), &mut parts));
        let on = on(model, bounds);
        return whole(&quote!(#[allow(trivial_bounds)] #on #(#assertions)*), &parts);
    }
    let on = on(model, []);
    let workplaces = customizations(model).map(|field| {
        let (cfgs, host, bound) = (&field.cfgs, host(model, field), workplace(field, &own.to_token_stream()));
        quote! {
            #(#cfgs)*
            const _: () = { const fn machine_asks_for<Host: #bound>() {} machine_asks_for::<#host>() };
        }
    });
    let roles = made_by(model, own);
    quote!(#on #(#assertions)* #(#workplaces)* #roles)
}

fn customizations(model: &Model) -> impl Iterator<Item = &Field> {
    model.fields.iter().filter(|field| matches!(field.role, Role::Customize(_)))
}

/// What the customizations of a machine ask of its implementation: what they work on, which only their types know.
fn customized<'a>(
    model: &'a Model,
    implementation: &'a TokenStream,
    parts: &'a mut TokenStream,
) -> impl Iterator<Item = TokenStream> + 'a {
    customizations(model).enumerate().map(move |(i, field)| {
        let (host, bound) = (host(model, field), workplace(field, implementation));
        let asked = quote!(#host: #bound);
        match field.cfgs.is_empty() {
            true => asked,
            false => perhaps(model, i, &field.cfgs, &asked, parts),
        }
    })
}

/// `<Site as Customization>::Host`. In a model without parameters by way of a constant: if `Site` is no customization, that is
/// already said of this very place, and of what depends on a constant that is none nothing more is said.
pub(crate) fn host(model: &Model, field: &Field) -> TokenStream {
    let ty = &field.ty;
    let span = Span::call_site().located_at(ty.span());
    if !model.item.generics.params.is_empty() {
        return quote_spanned!(span=> <#ty as ::carthage::customize::Customization>::Host);
    }
    let kind = quote_spanned!(span=> { <#ty as ::carthage::customize::Customization>::KIND });
    quote_spanned!(span=> <::carthage::customize::OfKind<#kind> as ::carthage::customize::HasHost>::Host)
}

/// `WorkplaceOn<Implementation>`, asked where `customize` stands.
fn workplace(field: &Field, implementation: &TokenStream) -> TokenStream {
    let implementation = respan(implementation.clone(), field.at);
    quote_spanned!(field.at=> ::carthage::customize::WorkplaceOn<#implementation>)
}

/// The implementation of `On`, beside the types that it mentions.
fn whole(on: &TokenStream, parts: &TokenStream) -> TokenStream {
    if parts.is_empty() { on.clone() } else { quote!(const _: () = { #parts #on };) }
}

/// For a container: what its members ask for, of the inherited implementation or of its own.
pub(crate) fn container(model: &Model, implementation: Option<&Type>) -> TokenStream {
    match implementation {
        None => {
            let mut parts = TokenStream::new();
            let bounds = of_members(model, &quote!(Implementation), &mut parts);
            whole(&on(model, bounds), &parts)
        }
        Some(own) => {
            let (on, assertions) = (on(model, []), made_by(model, own));
            quote!(#on #assertions)
        }
    }
}

/// What members and roles ask of this implementation.
fn of_members(model: &Model, implementation: &TokenStream, parts: &mut TokenStream) -> Vec<TokenStream> {
    members(model)
        .enumerate()
        .map(|(i, (cfgs, ty))| {
            let member = me(ty);
            let asked = quote!(#member: ::carthage::machine::implementation::On<#implementation>);
            if cfgs.is_empty() {
                return asked;
            }
            // The numbers before are of customizations.
            perhaps(model, model.fields.len() + i, cfgs, &asked, parts)
        })
        .collect()
}

/// What members and roles ask of what makes them. Members that are in some profiles only are left to the check of each profile.
fn members(model: &Model) -> impl Iterator<Item = (&[Attribute], &Type)> {
    model.fields.iter().filter_map(|field| match &field.role {
        Role::Member(member) if member.only.is_empty() => Some((&*field.cfgs, &member.ty)),
        Role::Taken { .. } => Some((&*field.cfgs, &field.ty)),
        _ => None,
    })
}

/// For a container whose members this implementation makes.
pub(crate) fn made_by(model: &Model, implementation: &Type) -> TokenStream {
    let assertions = members(model).map(|(cfgs, ty)| {
        let member = me(ty);
        quote! {
            #(#cfgs)*
            const _: fn() =
                <#implementation as ::carthage::machine::implementation::Implementation>::makes::<#member>;
        }
    });
    quote!(#(#assertions)*)
}

/// What is `asked` for a part with `#[cfg(…)]`, which cannot stand on a bound: a type that asks for it, if the part is there.
fn perhaps(
    model: &Model,
    i: usize,
    cfgs: &[Attribute],
    asked: &TokenStream,
    parts: &mut TokenStream,
) -> TokenStream {
    let (name, condition) = (format_ident!("Part{i}"), condition(cfgs));
    let generics = with_models(&model.item.generics);
    let types = generics.type_params().map(|parameter| &parameter.ident);
    let (of_impl, of_type, clause) = model.item.generics.split_for_impl();
    let with = |bound: TokenStream| {
        let (head, clause) = for_any(&generics, [bound]);
        quote! {
            #[allow(trivial_bounds)]
            impl #head ::carthage::machine::implementation::On<Implementation> for #name #of_type #clause {}
        }
    };
    let (there, absent) = (with(asked.clone()), with(TokenStream::new()));
    parts.extend(quote! {
        #[doc(hidden)]
        #[allow(unreachable_pub, dead_code)]
        pub struct #name #of_impl (::core::marker::PhantomData<(#(fn() -> #types,)*)>) #clause;
        #[cfg(#condition)]
        #there
        #[cfg(not(#condition))]
        #absent
    });
    quote!(#name #of_type: ::carthage::machine::implementation::On<Implementation>)
}

/// The member's type, by a way that leads through its being a model: if it is none, that is already said of this very place,
/// and rustc does not say it twice.
fn me(ty: &Type) -> TokenStream {
    let span = Span::call_site().located_at(ty.span());
    quote_spanned!(span=> <#ty as ::carthage::layout::Model>::Me)
}

/// For a network: its needs, of the implementation of the scope in which it is placed.
pub(crate) fn network(model: &Model, needs: &[Capability]) -> TokenStream {
    let inherited = quote!(Implementation);
    on(model, needs.iter().map(|need| need.bound(&inherited)))
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
fn for_any(generics: &Generics, bounds: impl IntoIterator<Item = TokenStream>) -> (TokenStream, TokenStream) {
    // Without their defaults, which stand on types only.
    let parameters = generics.params.iter().cloned().map(|mut parameter| {
        match &mut parameter {
            GenericParam::Type(parameter) => parameter.default = None,
            GenericParam::Const(parameter) => parameter.default = None,
            GenericParam::Lifetime(_) => {}
        }
        parameter
    });
    let own =
        generics.where_clause.iter().flat_map(|clause| &clause.predicates).map(ToTokens::to_token_stream);
    let bounds = own.chain(bounds).filter(|bound| !bound.is_empty());
    (
        quote!(<Implementation: ::carthage::machine::implementation::Implementation #(, #parameters)*>),
        quote!(where #(#bounds),*),
    )
}
