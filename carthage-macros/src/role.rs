//! `#[role]`: a bundle of parts that machines take in.

use proc_macro2::TokenStream;
use quote::quote;
use syn::ItemStruct;

use crate::capability;
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
    let needs: Vec<_> = link::needs(&model.fields).collect();
    let asks = capability::asks(&needs);
    let body = expand::model(&model, "Role", &name, quote!(#asks));
    let (item, on) = (expand::item(&model), capability::machine(&model, None, &needs));
    let marker = expand::marker(&model, "MachineModel");
    quote! {
        #item
        #body
        #marker
        #on
    }
}
