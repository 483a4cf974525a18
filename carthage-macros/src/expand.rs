//! What every model gets: the struct itself, and `impl Model`.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote};
use syn::spanned::Spanned;
use syn::{Generics, ItemStruct, parse_quote};

use crate::build;
use crate::mask;
use crate::model::{Model, key_arguments};
use crate::node::{at, key, option, parts};

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

/// `impl Model for …`, whose node is finished by the builder calls `node`.
pub(crate) fn model(model: &Model, kind: &str, name: &str, node: TokenStream) -> TokenStream {
    let ident = &model.item.ident;
    let generics = with_models(&model.item.generics);
    let (impl_generics, ty_generics, where_clause) = generics.split_for_impl();
    let (kind, about, at, key) =
        (Ident::new(kind, Span::call_site()), &model.about, at(ident.span()), key(ident));
    let key_arguments = key_arguments(&model.item);
    let is_abstract = model.is_abstract.then(|| quote!(.of_abstract()));
    let parts = parts(&model.fields);
    let dependencies = model.depends_on.iter().map(|dependency| {
        let (ty, at) = (&dependency.ty, crate::node::at(dependency.ty.span()));
        let field = option(dependency.field.as_ref());
        quote!(::carthage::model::Dependency { key: <#ty as ::carthage::layout::Model>::KEY, field: #field, at: #at })
    });
    let (functions, policy) = (build::functions(model), &model.policy);
    let about = (!about.is_empty()).then(|| quote!(.about(#about)));
    let parts = (!model.fields.is_empty()).then(|| quote!(.parts(&[#(#parts),*])));
    let masks = mask::node(&model.masks);
    let dependencies = (!model.depends_on.is_empty()).then(|| quote!(.depends_on(&[#(#dependencies),*])));
    quote! {
        #[automatically_derived]
        impl #impl_generics ::carthage::layout::Model for #ident #ty_generics #where_clause {
            type Me = Self;
            const KEY: ::carthage::model::Key = #key #(#key_arguments)* #is_abstract;
            const NODE: &'static ::carthage::model::Node =
                &::carthage::model::Node::new(::carthage::model::Kind::#kind, Self::KEY, #name, #at)
                #about #node #policy #parts #masks #dependencies;
            #functions
        }
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
