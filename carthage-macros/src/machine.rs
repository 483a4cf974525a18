//! `#[machine_model]`.

use proc_macro2::TokenStream;
use quote::quote;
use syn::ItemStruct;

use crate::capability::{self, Capability};
use crate::errors::Errors;
use crate::expand;
use crate::field::{Role, Within};
use crate::literal;
use crate::login;
use crate::model::Model;
use crate::node;
use crate::options::{self, Known, Options};
use crate::surroundings;

const OPTIONS: &[Known] = &[
    options::text("name", "name = \"mirror\""),
    options::type_("implementation", "implementation = Sandbox"),
    options::number("memory_mb", "memory_mb = 256"),
    options::number("cpus", "cpus = 2"),
    options::text("root", "root = \"/srv/roots/debian\""),
    options::text("image", "image = \"docker.io/library/debian:12\""),
    options::text("kernel", "kernel = \"/boot/vmlinuz\""),
    options::text("initrd", "initrd = \"/boot/initrd.img\""),
    options::text("kernel_args", "kernel_args = \"quiet\""),
    options::numbers("disk_sizes", "disk_sizes = [10, 20]"),
    options::text("firmware_type", "firmware_type = \"uefi\""),
    options::text("runas_user", "runas_user = \"www-data\""),
    options::flag("tpm", "tpm"),
    options::flag("nested_virt", "nested_virt"),
];

/// All arguments: the machine's own, and how it is reached.
const ALL: &[Known] = &{
    let mut all = [options::flag("", ""); OPTIONS.len() + login::OPTIONS.len()];
    let mut at = 0;
    while at < all.len() {
        all[at] = if at < OPTIONS.len() { OPTIONS[at] } else { login::OPTIONS[at - OPTIONS.len()] };
        at += 1;
    }
    all
};

pub(crate) fn expand(arguments: TokenStream, mut item: ItemStruct, errors: &mut Errors) -> TokenStream {
    let mut options = Options::parse("machine_model", ALL, arguments, errors);
    let (surroundings, asked) = surroundings::take(&mut item, errors);
    let mut model = Model::parse("machine_model", item, Some(Within::Machine), errors);
    let name = model.name(&mut options, errors);
    let implementation = options.ty("implementation");
    let mut needs = asked;
    let login = login::read(&mut options, errors);
    needs.extend(login.needs);
    model.depends_on.extend(login.depends_on);
    if !login.located {
        needs.push(Capability::new("Located", model.item.ident.span()));
    }
    let mut hardware = TokenStream::new();
    if let Some(memory) = options.number("memory_mb", literal::positive, errors) {
        hardware.extend(quote!(.memory_mb(#memory)));
    }
    if let Some(cpus) = options.number("cpus", literal::processors, errors) {
        hardware.extend(quote!(.cpus(#cpus)));
    }
    if let Some((root, span)) = options.text("root", literal::host_path, errors) {
        hardware.extend(quote!(.root(#root)));
        needs.push(Capability::new("DirectoryRoot", span));
    }
    if let Some((image, span)) = options.text("image", literal::image, errors) {
        hardware.extend(quote!(.image(#image)));
        needs.push(Capability::new("Images", span));
    }
    let boots = options.span("kernel").is_some();
    if let Some((kernel, span)) = options.text("kernel", literal::host_path, errors) {
        hardware.extend(quote!(.kernel(#kernel)));
        needs.push(Capability::new("KernelBoot", span));
    }
    for argument in ["initrd", "kernel_args"] {
        if let Some(span) = options.span(argument).filter(|_| !boots) {
            let message =
                format!("`{argument}` belongs to a kernel that is started directly; write `kernel = \"…\"`");
            errors.push(syn::Error::new(span, message));
        }
    }
    if let Some((initrd, _)) = options.text("initrd", literal::host_path, errors) {
        hardware.extend(quote!(.initrd(#initrd)));
    }
    if let Some((arguments, _)) = options.text("kernel_args", |text| Ok(text.to_owned()), errors) {
        hardware.extend(quote!(.kernel_args(#arguments)));
    }
    if let Some((sizes, span)) = options.numbers("disk_sizes", literal::positive, errors) {
        hardware.extend(quote!(.disk_sizes(&[#(#sizes),*])));
        needs.push(Capability::new("Disks", span));
    }
    if let Some((firmware, span)) = options.text("firmware_type", literal::firmware, errors) {
        let firmware = proc_macro2::Ident::new(firmware, span);
        hardware.extend(quote!(.firmware_type(::carthage::machine::engine::Firmware::#firmware)));
        needs.push(Capability::new("FirmwareType", span));
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

    let login = login.node;
    let asks = capability::asks(&needs);
    let mut node = quote!(.hardware(::carthage::model::Hardware::ANY #hardware) #surroundings #login #asks);
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
