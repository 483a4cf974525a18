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
use crate::types;

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
        if let Some(path) = &self.of {
            // Of what are no options nothing more is said; what has arguments may depend on the model's.
            let of = match path.segments.iter().all(|segment| segment.arguments.is_none()) {
                true => options(path),
                false => path.to_token_stream(),
            };
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
        bounds.extend(of_members(model, |_| true, &inherited, &mut parts));
        return whole(&on(model, bounds), &parts);
    };
    let assertions = needs.iter().map(|need| {
        let (own, bound) = (implementation_at(own, need.span), need.bound(&quote!(Implementation)));
        quote!(const _: () = { const fn machine_asks_for<Implementation>()
            where Implementation: ::carthage::machine::implementation::Implementation, #bound {}
            machine_asks_for::<#own>() };)
    });
    // What its customizations work on may depend on the model's parameters: that is asserted where it is placed.
    if !model.item.generics.params.is_empty() {
        let mut parts = TokenStream::new();
        let mut bounds: Vec<_> = customized(model, &own.to_token_stream(), &mut parts).collect();
        let asked = asked_of_its_own(model, own, &mut bounds, &mut parts);
        let on = on(model, bounds);
        return whole(&quote!(#[allow(trivial_bounds)] #on #asked #(#assertions)*), &parts);
    }
    let on = on(model, []);
    let workplaces = customizations(model).map(|field| {
        let (cfgs, host) = (&field.cfgs, host(field));
        let bound = workplace_on(field, &implementation_at(own, field.at));
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
        let (host, bound) = (host(field), workplace(field, implementation));
        let asked = quote!(#host: #bound);
        match field.cfgs.is_empty() {
            true => asked,
            false => perhaps(model, i, &field.cfgs, &asked, parts),
        }
    })
}

/// `<Site as Customization>::Host`.
pub(crate) fn host(field: &Field) -> TokenStream {
    let ty = customization(field);
    let span = Span::call_site().located_at(field.ty.span());
    quote_spanned!(span=> <#ty as ::carthage::customize::Customization>::Host)
}

/// The type of a customization. Without parameters by way of a constant: if it is no customization, that is already said of this
/// very place, and of what depends on a constant that is none nothing more is said.
pub(crate) fn customization(field: &Field) -> TokenStream {
    let ty = &field.ty;
    if field.is_generic {
        return ty.to_token_stream();
    }
    let is = described(ty, &quote!(::carthage::customize::Customization), "KIND");
    quote_spanned!(ty.span()=> <::carthage::model::Described<#is> as ::carthage::model::Stands>::For<#ty>)
}

/// `WorkplaceOn<Implementation>`, asked where `customize` stands.
fn workplace(field: &Field, implementation: &TokenStream) -> TokenStream {
    workplace_on(field, &respan(implementation.clone(), field.at))
}

fn workplace_on(field: &Field, implementation: &TokenStream) -> TokenStream {
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
            let bounds = of_members(model, |_| true, &quote!(Implementation), &mut parts);
            whole(&on(model, bounds), &parts)
        }
        Some(own) => {
            let (mut parts, mut bounds) = (TokenStream::new(), Vec::new());
            let assertions = asked_of_its_own(model, own, &mut bounds, &mut parts);
            let on = on(model, bounds);
            whole(&quote!(#on #assertions), &parts)
        }
    }
}

/// What members and roles ask of the model's own implementation: asserted at once, or a bound where it depends on the model's
/// parameters.
fn asked_of_its_own(
    model: &Model,
    own: &Type,
    bounds: &mut Vec<TokenStream>,
    parts: &mut TokenStream,
) -> TokenStream {
    bounds.extend(of_members(
        model,
        |ty| types::depends(ty, &model.item.generics),
        &own.to_token_stream(),
        parts,
    ));
    made_by(model, own)
}

/// What members and roles of these types ask of this implementation. Of one that is no model nothing is said here, where it is
/// only supposed to be one.
fn of_members(
    model: &Model,
    these: impl Fn(&Type) -> bool,
    implementation: &TokenStream,
    parts: &mut TokenStream,
) -> Vec<TokenStream> {
    members(model)
        .enumerate()
        .filter(|(_, (_, ty))| these(ty))
        .map(|(i, (cfgs, ty))| {
            let asked = quote!(#ty: ::carthage::machine::implementation::On<#implementation>);
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

/// For a container whose members this implementation makes, as far as they do not depend on its parameters.
pub(crate) fn made_by(model: &Model, implementation: &Type) -> TokenStream {
    let assertions = members(model).filter(|(_, ty)| !types::depends(ty, &model.item.generics)).map(|(cfgs, ty)| {
        let member = self::model(ty, Span::call_site().located_at(ty.span()));
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

/// A model's type, where it is asked for at `span`.
pub(crate) fn model(ty: &Type, span: Span) -> TokenStream {
    let is = described(ty, &quote!(::carthage::layout::Model), "NODE");
    quote_spanned!(span=> <::carthage::model::Described<#is> as ::carthage::model::Stands>::For<#ty>)
}

/// A set of options.
fn options(path: &Path) -> TokenStream {
    let is = described(path, &quote!(::carthage::machine::engine::MachineOptions), "NAME");
    quote_spanned!(path.span()=> <::carthage::model::Described<#is> as ::carthage::model::Stands>::For<#path>)
}

/// A machine's own implementation, where something asks for what it can do.
fn implementation_at(own: &Type, asked: Span) -> TokenStream {
    let is = described(own, &quote!(::carthage::machine::implementation::Implementation), "NODE");
    let own = respan(own.to_token_stream(), asked);
    quote_spanned!(asked=> <::carthage::model::Described<#is> as ::carthage::model::Stands>::For<#own>)
}

/// A constant that there is if the type has this trait, and what it is made of is right as well. If not, that is already said where
/// it stands, and of what depends on a constant that is none nothing more is said.
fn described(ty: &(impl ToTokens + Spanned), of: &TokenStream, constant: &str) -> TokenStream {
    let span = Span::call_site().located_at(ty.span());
    let constant = Ident::new(constant, span);
    quote_spanned! {span=> {
        _ = <#ty as #of>::#constant;
        true
    }}
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
