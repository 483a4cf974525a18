//! `#[machine_model]`.

use proc_macro2::TokenStream;
use quote::quote;
use syn::ItemStruct;

use crate::capability::{self, Capability};
use crate::errors::Errors;
use crate::expand;
use crate::field::{Role, Within};
use crate::literal;
use crate::model::Model;
use crate::node;
use crate::options::{self, Known, Options};

const OPTIONS: &[Known] = &[
    options::text("name", "name = \"mirror\""),
    options::type_("implementation", "implementation = Sandbox"),
    options::number("memory_mb", "memory_mb = 256"),
    options::number("cpus", "cpus = 2"),
    options::text("root", "root = \"/srv/roots/debian\""),
    options::text("runas_user", "runas_user = \"www-data\""),
    options::flag("tpm", "tpm"),
    options::flag("nested_virt", "nested_virt"),
];

pub(crate) fn expand(arguments: TokenStream, item: ItemStruct, errors: &mut Errors) -> TokenStream {
    let mut options = Options::parse("machine_model", OPTIONS, arguments, errors);
    let model = Model::parse("machine_model", item, Some(Within::Machine), errors);
    let name = model.name(&mut options, errors);
    let implementation = options.ty("implementation");
    let mut needs = Vec::new();
    let mut hardware = TokenStream::new();
    if let Some(memory) = options.number("memory_mb", literal::positive, errors) {
        hardware.extend(quote!(.memory_mb(#memory)));
    }
    if let Some(cpus) = options.number("cpus", literal::processors, errors) {
        hardware.extend(quote!(.cpus(#cpus)));
    }
    if let Some((root, span)) = options.text("root", literal::absolute_path, errors) {
        hardware.extend(quote!(.root(#root)));
        needs.push(Capability::new("DirectoryRoot", span));
    }
    if let Some((user, _)) = options.text("runas_user", literal::user, errors) {
        hardware.extend(quote!(.runas_user(#user)));
    }
    if let Some(span) = options.flag("tpm") {
        hardware.extend(quote!(.tpm()));
        needs.push(Capability::new("Tpm", span));
    }
    if let Some(span) = options.flag("nested_virt") {
        hardware.extend(quote!(.nested_virt()));
        needs.push(Capability::new("NestedVirt", span));
    }
    // One is enough: all links ask for the same.
    let link = model.fields.iter().find_map(|field| match &field.role {
        Role::Link(link) => Some(link.span),
        _ => None,
    });
    needs.extend(link.map(|span| Capability::new("Links", span)));

    let mut node = quote!(.hardware(::carthage::model::Hardware::ANY #hardware));
    if let Some(implementation) = &implementation {
        node.extend(node::implementation(implementation));
    }
    let body = expand::model(&model, "Machine", &name, node);
    let on = capability::machine(&model, implementation.as_ref(), &needs);
    let item = expand::item(&model);
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
