//! What every model gets: the struct itself, and `impl Model`.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote};
use syn::{Fields, Generics, ItemStruct, parse_quote};

use crate::build;
use crate::field::Role;
use crate::implements;
use crate::mask;
use crate::model::{Model, key_arguments};
use crate::node::{at, key, parts};

/// The struct itself.
///
/// A type that does not exist is named by the struct and by what is generated; rustc says so once, if it says the same each
/// time. In a struct it would also offer to make it a type parameter, unless the (empty) list of those is not the user's.
pub(crate) fn item(model: &Model) -> TokenStream {
    let ItemStruct { attrs, vis, struct_token, ident, generics, fields, semi_token } = &model.item;
    if !generics.params.is_empty() || generics.where_clause.is_some() {
        return model.item.to_token_stream();
    }
    quote!(#(#attrs)* #vis #struct_token #ident <> #fields #semi_token)
}

/// Members become placed ones, and roles shared ones.
pub(crate) fn hold_parts(model: &mut Model) {
    let Fields::Named(fields) = &mut model.item.fields else { return };
    for field in &mut fields.named {
        let read = model.fields.iter().find(|read| Some(&read.ident) == field.ident.as_ref());
        let held = match read.map(|read| &read.role) {
            Some(Role::Member(member)) => member.placed(),
            Some(Role::Taken { .. }) => {
                let ty = &field.ty;
                quote!(::std::sync::Arc<#ty>)
            }
            _ => continue,
        };
        field.ty = parse_quote!(#held);
    }
}

/// `impl Model for …`, whose node is finished by the builder calls `node`.
pub(crate) fn model(model: &Model, kind: &str, name: &str, node: TokenStream) -> TokenStream {
    let ident = &model.item.ident;
    let generics = with_models(&model.item.generics);
    let (impl_generics, ty_generics, where_clause) = generics.split_for_impl();
    let (about, at, key) = (&model.about, at(ident.span()), key(ident));
    let key_arguments = key_arguments(&model.item);
    let flag = match kind {
        "Role" => Some(quote!(.of_role())),
        _ => model.is_abstract.then(|| quote!(.of_abstract())),
    };
    let parts = parts(&model.fields).chain(implements::parts(&model.implements));
    let kind = Ident::new(kind, Span::call_site());
    let (functions, policy, moved_from) = (build::functions(model), &model.policy, &model.moved_from);
    let about = (!about.is_empty()).then(|| quote!(.about(#about)));
    // A machine has the parts of its roles as well; a role has them when a machine takes it in.
    let takes_in = (kind == "Machine" || kind == "Image")
        && (model.fields.iter().any(|field| matches!(field.role, Role::Taken { .. }))
            || !model.implements.is_empty());
    let (own, parts) = match (takes_in, model.fields.is_empty() && model.implements.is_empty()) {
        (true, _) => (
            Some(quote!(const OWN: &'static [::carthage::model::Part] = &[#(#parts),*];)),
            Some(quote! {
                .parts(<Self as ::carthage::layout::Model>::CALLED.parts())
                .inheriting(<Self as ::carthage::layout::Model>::OWN)
            }),
        ),
        (false, false) => (None, Some(quote!(.parts(&[#(#parts),*])))),
        (false, true) => (None, None),
    };
    let masks = mask::node(&model.masks);
    let found = implements::function(&model.implements);
    let (starts, collects) = (model.starts.node(), model.starts.items());
    let (takes_tasks, tasks) = match kind.to_string().as_str() {
        "Layout" | "Enclave" | "Machine" => (Some(marker(model, "TakesTasks")), Some(tasks())),
        _ => (None, None),
    };
    quote! {
        #takes_tasks
        #[automatically_derived]
        impl #impl_generics ::carthage::layout::Model for #ident #ty_generics #where_clause {
            const KEY: ::carthage::model::Key = #key #(#key_arguments)* #flag;
            #own
            const NODE: &'static ::carthage::model::Node =
                &::carthage::model::Node::new(::carthage::model::Kind::#kind, Self::KEY, #name, #at)
                #about #node #policy #moved_from #parts #masks #starts;
            #functions
            #collects
            #found
            #tasks
        }
    }
}

/// `Model::model_tasks`: what an `impl` with `#[model_tasks]` says, if there is one.
fn tasks() -> TokenStream {
    quote! {
        fn model_tasks(&self) -> ::core::option::Option<&dyn ::carthage::customize::AnyCustomization> {
            #[allow(unused_imports)]
            use ::carthage::__private::WithoutTasks as _;
            (Self::__MODEL_TASKS)(self)
        }
    }
}

/// `impl MachineModel for …`, or of another trait of `layout` that only says what the model is.
pub(crate) fn marker(model: &Model, name: &str) -> TokenStream {
    let (ident, name) = (&model.item.ident, Ident::new(name, Span::call_site()));
    let generics = with_models(&model.item.generics);
    let (impl_generics, ty_generics, where_clause) = generics.split_for_impl();
    quote! {
        #[automatically_derived]
        impl #impl_generics ::carthage::layout::#name for #ident #ty_generics #where_clause {}
    }
}

/// Type parameters of a model are models.
pub(crate) fn with_models(generics: &Generics) -> Generics {
    let mut generics = generics.clone();
    let parameters: Vec<_> = generics.type_params().map(|parameter| parameter.ident.clone()).collect();
    for parameter in parameters {
        generics.make_where_clause().predicates.push(parse_quote!(#parameter: ::carthage::layout::Model));
    }
    generics
}
