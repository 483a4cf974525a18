//! `#[customization]`: an impl block whose functions are setup tasks.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Attribute, FnArg, ImplItem, ItemImpl};

use crate::build;
use crate::entry::argument_attributes;
use crate::errors::Errors;
use crate::field;
use crate::model::about;
use crate::names::kebab;
use crate::node;
use crate::options::{self, Known, Options};
use crate::signature::{self, Function, Returns, Workplace};
use crate::task::{self, Check, Task};
use crate::types;

/// The attributes of functions in a customization.
pub(crate) const ATTRIBUTES: &[&str] = &["setup_task", "check_completed", "invalidator", "hash"];

const OPTIONS: &[Known] = &[
    options::flag("machine", "machine"),
    options::flag("container", "container"),
    options::flag("filesystem", "filesystem"),
    options::type_("host", "host = Console"),
];

/// What the tasks work on, as the argument says: the customization's kind.
fn workplace(options: &mut Options, errors: &mut Errors) -> Workplace {
    let mut chosen = None;
    let own = options.span("host").zip(options.ty("host"));
    for (kind, workplace) in Workplace::KINDS {
        let Some(span) = options.flag(kind) else { continue };
        match chosen {
            None => chosen = Some((kind, workplace)),
            Some((first, _)) => errors.push(syn::Error::new(
                span,
                format!("a customization is of one kind: it is `{first}` already, so it cannot be `{kind}`"),
            )),
        }
    }
    match (chosen, own) {
        (Some((kind, workplace)), Some((span, _))) => {
            let message =
                format!("a host of your own says itself what it is opened from; leave `{kind}` out");
            errors.push(syn::Error::new(span, message));
            workplace
        }
        (Some((_, workplace)), None) => workplace,
        (None, Some((_, own))) => Workplace::Own(Box::new(own)),
        (None, None) => Workplace::Host,
    }
}

pub(crate) fn expand(arguments: TokenStream, item: ItemImpl, errors: &mut Errors) -> TokenStream {
    let mut options = Options::parse("customization", OPTIONS, arguments, errors);
    let workplace = workplace(&mut options, errors);
    self::tasks("customization", &workplace, item, errors)
}

/// An impl with setup tasks that work on this.
pub(crate) fn tasks(
    attribute: &str,
    workplace: &Workplace,
    mut item: ItemImpl,
    errors: &mut Errors,
) -> TokenStream {
    if let Some((path, _)) = &item.trait_ {
        errors.at(path, format!("`#[{attribute}]` belongs on the impl of a type itself, not of a trait: `impl StaticSite {{ … }}`"));
    }
    let about = about(&item.attrs);
    let mut tasks = Vec::new();
    let mut checks = Vec::new();
    for part in &mut item.items {
        let ImplItem::Fn(function) = part else { continue };
        let source = quote!(#function);
        let taken = field::take(&mut function.attrs, ATTRIBUTES);
        let cfgs = field::cfgs(&mut function.attrs, ATTRIBUTES, errors);
        if let [_, (name, attribute), ..] = &taken[..] {
            errors.at(attribute, format!("a function is one thing: `#[{name}]` is one attribute too many"));
        }
        match taken.into_iter().next() {
            Some(("setup_task", attribute)) => {
                tasks.push(Task::parse(&attribute, workplace, source, cfgs, function, errors));
            }
            Some((kind, attribute)) => {
                checks.extend(Check::parse(kind, &attribute, workplace, cfgs, function, errors))
            }
            None => no_injection(&mut function.sig.inputs, errors),
        }
    }
    tasks.iter_mut().for_each(|task| task.keep_certain(&item.generics, errors));
    let order = task::order(&mut tasks, errors);
    task::attach(&mut tasks, checks, errors);
    if matches!(workplace, Workplace::ModelDir) {
        tasks.iter_mut().for_each(|task| task.is_of_a_model(errors));
    }
    let Some(name) = types::head(&item.self_ty) else {
        errors.at(&item.self_ty, format!("`#[{attribute}]` belongs on the impl of a named type"));
        return quote!(#item);
    };
    let tasks: Vec<_> = order.iter().map(|&task| &tasks[task]).filter(|task| task.sound).collect();
    let proofs: TokenStream = tasks.iter().map(|task| task.proofs()).collect();
    let implementation = implementation(&item, &name, &about, workplace, &tasks);
    quote!(#item #implementation #proofs)
}

/// `#[inject]` means nothing on a function that is no task.
fn no_injection<'a>(inputs: impl IntoIterator<Item = &'a mut FnArg>, errors: &mut Errors) {
    for input in inputs {
        for (_, attribute) in field::take(argument_attributes(input), &["inject"]) {
            errors.at(attribute, "`#[inject]` works on parameters of setup tasks and their checks; add `#[setup_task]` to the function");
        }
    }
}

fn implementation(
    item: &ItemImpl,
    name: &str,
    about: &str,
    workplace: &Workplace,
    tasks: &[&Task],
) -> TokenStream {
    let ty = &item.self_ty;
    let (impl_generics, _, where_clause) = item.generics.split_for_impl();
    let name_span = syn::spanned::Spanned::span(ty);
    let name_ident = Ident::new(name, name_span);
    let (key, at, kebab) = (node::key(&name_ident), node::at(name_span), kebab(name));
    let host = workplace.ty();
    let asks = quote!(.asks(<Self as ::carthage::customize::Customization>::ASKS));
    let nodes = tasks.iter().map(|task| task.node(tasks));
    let functions = tasks.iter().map(|task| task.functions());
    let methods: Vec<_> = tasks.iter().filter_map(|task| task.hash_method()).collect();
    let methods =
        (!methods.is_empty()).then(|| quote!(impl #impl_generics #ty #where_clause { #(#methods)* }));
    quote! {
        #methods
        #[automatically_derived]
        impl #impl_generics ::carthage::customize::Customization for #ty #where_clause {
            type Host = #host;
            const NODE: &'static ::carthage::model::Node =
                &::carthage::model::Node::new(::carthage::model::Kind::Customization, #key, #kebab, #at)
                    .about(#about)
                    .tasks(&[#(#nodes),*])
                    #asks;
            const TASKS: &'static [::carthage::customize::Task<Self>] = &[#(#functions),*];
        }
    }
}

/// The body that the runtime calls, around a function of the user's: asks for what it needs and calls it.
pub(crate) fn body(function: &Function) -> TokenStream {
    let place = build::place();
    let [this, host] = ["this", "host"].map(|name| Ident::new(name, Span::mixed_site()));
    let ident = &function.ident;
    let (asks, passed) = signature::asked(&function.injected);
    let ty = match function.returns {
        Returns::Nothing => quote!(()),
        Returns::Completed if function.says.is_some() => quote!(::carthage::task::Completed),
        Returns::Bool | Returns::Completed => quote!(bool),
        Returns::Blocks { .. } => {
            quote!(::carthage::block::Blocks<<Self as ::carthage::customize::Customization>::Host>)
        }
    };
    if let Returns::Blocks { fallible } = function.returns {
        let failed = fallible.then(|| quote!(?));
        let run = quote! {
            _ = #place;
            #(#asks)*
            ::core::result::Result::<#ty, ::carthage::BoxError>::Ok(#this.#ident(#(#passed),*) #failed)
        };
        let here = Span::call_site().located_at(ident.span());
        let run = quote_spanned!(here=> ::std::boxed::Box::pin(async move { #run }));
        return quote!(|#this, #place| #run);
    }
    // What keeps the function from moving between threads is reported at its name.
    let here = Span::call_site().located_at(ident.span());
    let said = function.says.as_ref().map(|says| {
        let answer = quote_spanned!(says.span()=> ::carthage::__private::completed::<#says>);
        quote!(#answer(#this.#ident(#host #(, #passed)*).await?))
    });
    if asks.is_empty() && said.is_none() {
        let run = quote!(::carthage::__private::TryFutureExt::err_into(#this.#ident(#host)));
        let run = quote_spanned!(here=> ::std::boxed::Box::pin(#run));
        return quote!(|#this, #host, _| #run);
    }
    let answer = said.unwrap_or_else(|| quote!(#this.#ident(#host #(, #passed)*).await?));
    let run = quote! {
        #(#asks)*
        ::core::result::Result::<#ty, ::carthage::BoxError>::Ok(#answer)
    };
    let run = quote_spanned!(here=> ::std::boxed::Box::pin(async move { #run }));
    let place = if asks.is_empty() { quote!(_) } else { quote!(#place) };
    quote!(|#this, #host, #place| #run)
}

/// A `#[cfg(…)]` in front of something that a function gives rise to.
pub(crate) fn guarded(cfgs: &[Attribute], tokens: TokenStream) -> TokenStream {
    quote!(#(#cfgs)* #tokens)
}
