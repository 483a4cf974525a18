//! `#[role]`: a bundle of parts that machines take in.

use proc_macro2::TokenStream;
use quote::quote;
use syn::ItemStruct;

use crate::capability::{self, Capability};
use crate::errors::Errors;
use crate::expand;
use crate::field::{Role, Within};
use crate::link;
use crate::model::Model;
use crate::options::Options;

pub(crate) fn expand(arguments: TokenStream, item: ItemStruct, errors: &mut Errors) -> TokenStream {
    let mut options = Options::parse("role", &[], arguments, errors);
    let mut model = Model::parse("role", item, Some(Within::Machine), errors);
    expand::hold_parts(&mut model);
    let name = model.name(&mut options, errors);
    for field in model.fields.iter().filter(|field| matches!(field.role, Role::Taken { is_image: true })) {
        errors.at(
            &field.ident,
            "what a root is made from is said by the machine: write `#[image]` in the `#[machine_model]`",
        );
    }
    let link = model.fields.iter().find_map(|field| match &field.role {
        Role::Link(link) => Some(link.span),
        _ => None,
    });
    let mut needs: Vec<_> = link.map(|span| Capability::new("Links", span)).into_iter().collect();
    needs.extend(link::needs(&model.fields));
    let asks = capability::asks(&needs);
    let body = expand::model(&model, "Role", &name, quote!(#asks));
    let (item, on) = (expand::item(&model), capability::machine(&model, None, &needs));
    let ident = &model.item.ident;
    let generics = expand::with_models(&model.item.generics);
    let (impl_generics, ty_generics, where_clause) = generics.split_for_impl();
    quote! {
        #item
        #body
        #[automatically_derived]
        impl #impl_generics ::carthage::layout::MachineModel for #ident #ty_generics #where_clause {}
        #on
    }
}
