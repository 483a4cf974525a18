//! `#[env]`, `#[mount]` and `#[expose]` on a machine's model: what it gets from the host, and gives to it.

use proc_macro2::{Span, TokenStream};
use quote::quote;
use syn::parse::{ParseStream, Parser};
use syn::spanned::Spanned;
use syn::{Attribute, ItemStruct, LitInt, LitStr, Token};

use crate::capability::Capability;
use crate::errors::Errors;
use crate::field;
use crate::literal;
use crate::options::{self, Known, Options};

/// The attributes.
pub(crate) const ATTRIBUTES: &[&str] = &["env", "mount", "expose"];

const MOUNT: &[Known] = &[options::text("at", "at = \"/data\""), options::flag("readonly", "readonly")];
const EXPOSE: &[Known] = &[options::number("on", "on = 8080"), options::flag("udp", "udp")];

/// Takes them off the struct; answers the builder call for the node, and what they ask of the implementation.
pub(crate) fn take(item: &mut ItemStruct, errors: &mut Errors) -> (TokenStream, Vec<Capability>) {
    let (mut environment, mut mounts, mut ports) = (Vec::new(), Vec::new(), Vec::new());
    let mut needs = Vec::new();
    for (name, attribute) in field::take(&mut item.attrs, ATTRIBUTES) {
        let span = attribute.path().span();
        match name {
            "env" => {
                needs.push(Capability::new("Environment", span));
                environment.extend(env(&attribute, errors));
            }
            "mount" => {
                needs.push(Capability::new("Mounts", span));
                mounts.extend(mount(&attribute, errors));
            }
            _ => {
                needs.push(Capability::new("Ports", span));
                ports.extend(expose(&attribute, errors));
            }
        }
    }
    let some = |name: &str, entries: Vec<TokenStream>| {
        let name = syn::Ident::new(name, Span::call_site());
        (!entries.is_empty()).then(|| quote!(.#name(&[#(#entries),*])))
    };
    let (environment, mounts, ports) =
        (some("environment", environment), some("mounts", mounts), some("ports", ports));
    let any = environment.is_some() || mounts.is_some() || ports.is_some();
    let node =
        any.then(|| quote!(.surroundings(::carthage::model::Surroundings::NONE #environment #mounts #ports)));
    (node.unwrap_or_default(), needs)
}

/// `#[env(NAME = "value", …)]`
fn env(attribute: &Attribute, errors: &mut Errors) -> Vec<TokenStream> {
    let arguments = options::arguments(attribute, errors);
    if arguments.is_empty() {
        errors.at(attribute, "say which variable: `#[env(NAME = \"value\")]`");
    }
    let variable = |input: ParseStream<'_>| {
        let name: syn::Ident = input.call(syn::ext::IdentExt::parse_any)?;
        input.parse::<Token![=]>()?;
        let value: LitStr = input.parse()?;
        Ok((name, value))
    };
    let all = |input: ParseStream<'_>| input.parse_terminated(variable, Token![,]);
    let parsed = all
        .parse2(arguments)
        .map_err(|error| syn::Error::new(error.span(), "a variable is written like `NAME = \"value\"`"));
    let Some(variables) = errors.keep(parsed) else { return Vec::new() };
    let mut entries = Vec::new();
    for (name, value) in variables {
        if value.value().contains('\0') {
            errors.at(&value, "the value of a variable holds no NUL");
            continue;
        }
        let name = name.to_string();
        entries.push(quote!((#name, #value)));
    }
    entries
}

/// `#[mount("/srv/data", at = "/data", readonly)]`
fn mount(attribute: &Attribute, errors: &mut Errors) -> Option<TokenStream> {
    let example = "#[mount(\"/srv/data\", at = \"/data\")]";
    let (source, rest) = first::<LitStr>(attribute, example, errors)?;
    let mut options = Options::parse("mount", MOUNT, rest, errors);
    if let Err(wrong) = literal::host_path(&source.value()) {
        errors.at(&source, wrong);
        return None;
    }
    let given = options.span("at").is_some();
    let at = options.text("at", literal::absolute_path, errors).map(|(at, _)| at);
    if !given && options.sound {
        errors.at(&source, format!("say where the machine sees it: `{example}`"));
    }
    let (at, readonly) = (at?, options.flag("readonly").is_some());
    Some(quote!(::carthage::model::Mount { source: #source, at: #at, readonly: #readonly }))
}

/// `#[expose(80, on = 8080, udp)]`
fn expose(attribute: &Attribute, errors: &mut Errors) -> Option<TokenStream> {
    let (port, rest) = first::<LitInt>(attribute, "#[expose(80, on = 8080)]", errors)?;
    let mut options = Options::parse("expose", EXPOSE, rest, errors);
    let inside: u16 = match port.base10_parse() {
        Ok(port) if port > 0 => port,
        _ => {
            errors.at(&port, format!("`{port}` is not a port; ports are 1 to 65535"));
            return None;
        }
    };
    let given = options.span("on").is_some();
    let on = options.number("on", literal::port, errors);
    if given && on.is_none() {
        return None;
    }
    let on = on.map_or_else(|| quote!(#inside), |on| quote!(#on));
    let protocol = match options.flag("udp") {
        Some(_) => quote!(Udp),
        None => quote!(Tcp),
    };
    Some(quote!(::carthage::model::Port {
        inside: #inside,
        on: #on,
        protocol: ::carthage::machine::engine::Protocol::#protocol,
    }))
}

/// The first argument, which has no name, and the others.
fn first<T: syn::parse::Parse>(
    attribute: &Attribute,
    example: &str,
    errors: &mut Errors,
) -> Option<(T, TokenStream)> {
    let arguments = options::arguments(attribute, errors);
    let split = |input: ParseStream<'_>| {
        let first = input.parse()?;
        if !input.is_empty() {
            input.parse::<Token![,]>()?;
        }
        Ok((first, input.parse()?))
    };
    let span = if arguments.is_empty() { attribute.span() } else { arguments.span() };
    errors.keep(split.parse2(arguments).map_err(|_| syn::Error::new(span, format!("write `{example}`"))))
}
