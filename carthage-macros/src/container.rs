//! `#[enclave]` and `#[layout]`: what the two have in common.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{ItemStruct, Type};

use crate::capability;
use crate::errors::Errors;
use crate::expand;
use crate::field::Within;
use crate::late::{self, Domain};
use crate::model::Model;
use crate::node;
use crate::options::Options;

/// A container whose arguments are read.
pub(crate) struct Container {
    pub(crate) model: Model,
    pub(crate) name: String,
    pub(crate) implementation: Option<Type>,
    domain: Option<Domain>,
}

impl Container {
    pub(crate) fn parse(
        attribute: &str,
        options: &mut Options,
        item: ItemStruct,
        errors: &mut Errors,
    ) -> Self {
        let mut model = Model::parse(attribute, item, Some(Within::Container), errors);
        expand::hold_parts(&mut model);
        model.starts.read(options);
        model.resolvable = options.flag("resolvable");
        let name = model.name(options, errors);
        let domain = options.text("domain", late::domain, errors).map(|(domain, _)| domain);
        Self { model, name, implementation: options.ty("implementation"), domain }
    }

    /// The struct with its members placed, and what every container gets.
    pub(crate) fn expand(&self, kind: &str) -> TokenStream {
        let (domain, constant) = self.domain.as_ref().map_or_else(Default::default, Domain::node);
        let implementation = self.implementation.as_ref().map(node::implementation);
        let body = expand::model(&self.model, kind, &self.name, quote!(#domain #implementation));
        let on = capability::container(&self.model, self.implementation.as_ref());
        let item = expand::item(&self.model);
        let constant = constant.map(|constant| {
            let (generics, ident) = (&self.model.item.generics, &self.model.item.ident);
            let (of_impl, of_type, clause) = generics.split_for_impl();
            quote!(impl #of_impl #ident #of_type #clause { #constant })
        });
        quote!(#item #constant #body #on)
    }
}
