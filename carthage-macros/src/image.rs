//! `#[image]`: what the roots of machines are made from, as a model.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::ItemStruct;

use crate::capability::{self, Capability};
use crate::errors::Errors;
use crate::expand;
use crate::field::{Field, Role, Within};
use crate::literal;
use crate::model::Model;
use crate::options::{self, Known, Options};

const OPTIONS: &[Known] = &[
    options::text("base", "base = \"docker.io/library/debian:12\""),
    options::text("root", "root = \"/srv/roots/debian\""),
    options::text("name", "name = \"web\""),
];

pub(crate) fn expand(arguments: TokenStream, item: ItemStruct, errors: &mut Errors) -> TokenStream {
    let mut options = Options::parse("image", OPTIONS, arguments, errors);
    let mut model = Model::parse("image", item, Some(Within::Image), errors);
    expand::hold_parts(&mut model);
    let name = model.name(&mut options, errors);
    let mut needs = Vec::new();
    let mut hardware = TokenStream::new();
    let said = one_base(&options, &model, errors);
    if let Some((base, span)) = options.text("base", literal::image, errors) {
        hardware.extend(quote!(.image(#base)));
        needs.push(Capability::new("Images", span));
    }
    if let Some((root, span)) = options.text("root", literal::host_path, errors) {
        hardware.extend(quote!(.root(#root)));
        needs.push(Capability::new("DirectoryRoot", span));
    }
    if !said && options.sound {
        errors.at(
            &model.item.ident,
            "say what this image is made from: `#[image(base = \"docker.io/library/debian:12\")]`, `#[image(root = \"/srv/roots/debian\")]`, \
             or a field `#[image] base: Debian` with another image",
        );
    }
    let layer = model.fields.iter().find(|field| matches!(field.role, Role::Customize(_)));
    needs.extend(layer.map(|field| Capability::new("OfflineRoot", field.at)));
    let asks = capability::asks(&needs);
    let node = quote!(.hardware(::carthage::model::Hardware::ANY #hardware) #asks);
    let body = expand::model(&model, "Image", &name, node);
    let (item, on) = (expand::item(&model), capability::machine(&model, None, &needs));
    let layers = layers(&model);
    let marker = expand::marker(&model, "MachineModel");
    quote! {
        #item
        #body
        #marker
        #on
        #layers
    }
}

/// Whether it is said what the image is made from; once.
pub(crate) fn one_base(options: &Options, model: &Model, errors: &mut Errors) -> bool {
    let fields: Vec<&Field> =
        model.fields.iter().filter(|field| matches!(field.role, Role::Taken { is_image: true })).collect();
    let arguments =
        ["base", "image", "root"].into_iter().filter_map(|name| Some((name, options.span(name)?)));
    let arguments: Vec<_> = arguments.collect();
    let mut first = None;
    for (name, span) in &arguments {
        if let Some(first) = first {
            let message = format!("`{name}` and `{first}` both say what it is made from; leave one out");
            errors.push(syn::Error::new(*span, message));
        }
        first = Some(*name);
    }
    let mut first = first.map(|name| format!("`{name}`"));
    for field in fields {
        let ident = &field.ident;
        if let Some(first) = &first {
            errors.at(ident, format!("`{ident}` and {first} both say what it is made from; leave one out"));
        }
        first = Some(format!("`{ident}`"));
    }
    first.is_some()
}

/// What works on an image works without anything running in it.
fn layers(model: &Model) -> TokenStream {
    // In a model with parameters that is asked where it is placed, of an implementation without such customizations.
    if !model.item.generics.params.is_empty() {
        return TokenStream::new();
    }
    let layers = model.fields.iter().filter(|field| matches!(field.role, Role::Customize(_)));
    let layers = layers.map(|field| {
        let (cfgs, host) = (&field.cfgs, capability::host(field));
        let layer = quote_spanned!(field.at=> ::carthage::customize::Layer);
        quote! {
            #(#cfgs)*
            const _: () = { const fn image_has_layer<Host: #layer>() {} image_has_layer::<#host>() };
        }
    });
    quote!(#(#layers)*)
}
