//! `#[network]`.

use proc_macro2::TokenStream;
use quote::quote;
use syn::ItemStruct;

use crate::capability;
use crate::errors::Errors;
use crate::expand;
use crate::literal::{self, Cidr, Range};
use crate::model::Model;
use crate::node;
use crate::options::{self, Known, Options};

const OPTIONS: &[Known] = &[
    options::text("v4", "v4 = \"10.37.0.0/24\""),
    options::text("pool", "pool = \"10.37.0.5-10.37.0.25\""),
    options::number("mtu", "mtu = 1500"),
    options::text("name", "name = \"lab\""),
];

pub(crate) fn expand(arguments: TokenStream, item: ItemStruct, errors: &mut Errors) -> TokenStream {
    let mut options = Options::parse("network", OPTIONS, arguments, errors);
    let model = Model::parse("network", item, None, errors);
    let name = model.name(&mut options, errors);
    let mut v4 = options.text("v4", literal::cidr, errors).map(|(v4, _)| v4);
    let mut pool = options.text("pool", literal::range, errors).map(|(pool, _)| pool);
    let mtu = options.number("mtu", literal::mtu, errors);
    if !options.sound {
        // Whatever was meant: no link is wrong because of it.
        v4 = Some(v4.unwrap_or(Cidr::ANY));
        pool = Some(pool.unwrap_or(Range::ANY));
    }
    let v4 = v4.map(|v4| quote!(.v4(#v4)));
    let pool = pool.map(|pool| quote!(.pool(#pool)));
    let mtu = mtu.map(|mtu| quote!(.mtu(#mtu)));

    let at = node::at(proc_macro2::Span::call_site());
    let addressing = quote!(.addressing(::carthage::model::Addressing::at(#at) #v4 #pool #mtu));
    let body = expand::model(&model, "Network", &name, addressing);
    let on = capability::anything(&model);
    let item = expand::item(&model);
    let ident = &model.item.ident;
    let generics = expand::with_models(&model.item.generics);
    let (impl_generics, ty_generics, where_clause) = generics.split_for_impl();
    quote! {
        #item
        #body
        #[automatically_derived]
        impl #impl_generics ::carthage::layout::NetworkModel for #ident #ty_generics #where_clause {}
        #on
    }
}
