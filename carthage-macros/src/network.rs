//! `#[network]`.

use proc_macro2::TokenStream;
use quote::quote;
use syn::ItemStruct;

use crate::addressing::addressing;
use crate::capability;
use crate::errors::Errors;
use crate::expand;
use crate::model::Model;
use crate::node;
use crate::options::{self, Known, Options};
use crate::start;

const OPTIONS: &[Known] = &[
    options::text("v4", "v4 = \"10.37.0.0/24\""),
    options::text("pool", "pool = \"10.37.0.5-10.37.0.25\""),
    options::number("mtu", "mtu = 1500"),
    options::text_or_type("gateway", "gateway = \"10.37.0.1\"` or `gateway = link!(Router.inside)"),
    options::text("dhcp", "dhcp = \"10.37.0.100-10.37.0.199\""),
    options::number("vlan", "vlan = 5"),
    options::text_or_type("bridge", "bridge = \"br0\"` or `bridge = link!(Workstation.br0)"),
    options::text("name", "name = \"lab\""),
    options::flag("abstract", "abstract"),
    start::DYNAMIC,
];

pub(crate) fn expand(arguments: TokenStream, item: ItemStruct, errors: &mut Errors) -> TokenStream {
    let mut options = Options::parse("network", OPTIONS, arguments, errors);
    let mut needs = Vec::new();
    let mut model = Model::parse("network", item, None, errors);
    model.starts.read_dynamic(&mut options);
    let name = model.name(&mut options, errors);
    let given = OPTIONS.iter().map(Known::name).find(|name| {
        !["name", "abstract", "dynamic_dependencies"].contains(name) && options.span(name).is_some()
    });
    let is_abstract = options.flag("abstract");
    if let (Some(span), Some(given)) = (is_abstract, given) {
        let message = format!("an abstract network is one that the layout says: `{given}` is that one's own");
        errors.push(syn::Error::new(span, message));
    }
    let addressing = addressing(&mut options, &mut needs, errors);

    let at = node::at(proc_macro2::Span::call_site());
    let addressing = quote!(.addressing(::carthage::model::Addressing::at(#at) #addressing));
    let model = Model { is_abstract: is_abstract.is_some(), ..model };
    let body = expand::model(&model, "Network", &name, addressing);
    let on = capability::network(&model, &needs);
    let item = expand::item(&model);
    let marker = expand::marker(&model, "NetworkModel");
    quote! {
        #item
        #body
        #marker
        #on
    }
}
