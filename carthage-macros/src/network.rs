//! `#[network]`.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote};
use syn::ItemStruct;

use crate::capability;
use crate::errors::Errors;
use crate::expand;
use crate::literal::{self, Cidr, Range};
use crate::model::Model;
use crate::node;
use crate::options::{self, Known, Options};
use crate::tokens::respan;

const OPTIONS: &[Known] = &[
    options::text("v4", "v4 = \"10.37.0.0/24\""),
    options::text("pool", "pool = \"10.37.0.5-10.37.0.25\""),
    options::number("mtu", "mtu = 1500"),
    options::text("name", "name = \"lab\""),
    options::flag("abstract", "abstract"),
];

pub(crate) fn expand(arguments: TokenStream, item: ItemStruct, errors: &mut Errors) -> TokenStream {
    let mut options = Options::parse("network", OPTIONS, arguments, errors);
    let model = Model::parse("network", item, None, errors);
    let name = model.name(&mut options, errors);
    let given = ["v4", "pool", "mtu"].into_iter().find(|argument| options.span(argument).is_some());
    let here = |(tokens, span): (&dyn ToTokens, Span)| respan(tokens.to_token_stream(), span);
    let v4 = options.text("v4", literal::cidr, errors);
    let mut v4 = v4.as_ref().map(|(v4, span)| here((v4, *span)));
    let pool = options.text("pool", literal::range, errors);
    let mut pool = pool.as_ref().map(|(pool, span)| here((pool, *span)));
    let mtu = options.number("mtu", literal::mtu, errors);
    let is_abstract = options.flag("abstract");
    if let (Some(span), Some(given)) = (is_abstract, given) {
        let message = format!("an abstract network is one that the layout says: `{given}` is that one's own");
        errors.push(syn::Error::new(span, message));
    }
    if !options.sound {
        // Whatever was meant: no link is wrong because of it.
        v4 = Some(v4.unwrap_or_else(|| Cidr::any().to_token_stream()));
        pool = Some(pool.unwrap_or_else(|| Range::any().to_token_stream()));
    }
    let v4 = v4.map(|v4| quote!(.v4(#v4)));
    let pool = pool.map(|pool| quote!(.pool(#pool)));
    let mtu = mtu.map(|mtu| quote!(.mtu(#mtu)));

    let at = node::at(proc_macro2::Span::call_site());
    let addressing = quote!(.addressing(::carthage::model::Addressing::at(#at) #v4 #pool #mtu));
    let model = Model { is_abstract: is_abstract.is_some(), ..model };
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
