//! The signatures that functions of a customization must have.

use proc_macro2::{Ident, Span, TokenStream};
use quote::quote;
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{FnArg, ImplItemFn, Pat, ReturnType, Signature, Type, parse_quote_spanned};

use crate::asked::Asked;
use crate::build;
use crate::entry::argument_attributes;
use crate::errors::Errors;
use crate::field;
use crate::options;
use crate::types;

/// A function that the runtime calls with a host and injected values.
pub(crate) struct Function {
    pub(crate) ident: Ident,
    pub(crate) injected: Vec<Parameter>,
    pub(crate) returns: Returns,
    /// What a `check_completed` says, if it is no `bool`.
    pub(crate) says: Option<Type>,
}

/// What is inside the `Result`.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Returns {
    Nothing,
    Bool,
    /// Whether something is done, and perhaps since when. The type is checked as such.
    Completed,
    /// Building blocks; whether in a `Result`.
    Blocks {
        fallible: bool,
    },
}

/// What the functions of a customization work on.
pub(crate) enum Workplace {
    /// A machine that runs.
    Host,
    /// The root of a machine.
    Root,
    /// A file tree.
    Tree,
    /// A type of the user's own.
    Own(Box<Type>),
    /// The directory of a model.
    ModelDir,
}

impl Workplace {
    /// The argument of `#[customization]` that asks for each.
    pub(crate) const KINDS: [(&str, Self); 3] =
        [("machine", Self::Host), ("container", Self::Root), ("filesystem", Self::Tree)];

    /// The type, as a user writes it.
    pub(crate) fn name(&self) -> String {
        match self {
            Self::Host => "Host".to_owned(),
            Self::Root => "Root".to_owned(),
            Self::Tree => "Tree".to_owned(),
            Self::ModelDir => "ModelDir".to_owned(),
            Self::Own(ty) => types::head(ty).unwrap_or_else(|| types::text(ty)),
        }
    }

    /// The type, where `span` says what it is.
    pub(crate) fn ty(&self) -> TokenStream {
        match self {
            Self::Own(ty) => quote!(#ty),
            _ => {
                let name = Ident::new(&self.name(), Span::call_site());
                quote!(::carthage::#name)
            }
        }
    }

    /// Whose functions work on it.
    fn whose(&self) -> &'static str {
        match self {
            Self::Host => "a machine's customization works",
            Self::Root => "a container's customization works",
            Self::Tree => "a file tree's customization works",
            Self::Own(_) => "this customization works",
            Self::ModelDir => "a model's tasks work",
        }
    }

    /// What a task takes first.
    fn what(&self) -> &'static str {
        match self {
            Self::Host => "the machine",
            Self::Root => "the root",
            Self::Tree => "the file tree",
            Self::Own(_) => "the host",
            Self::ModelDir => "the directory",
        }
    }

    /// `host: &Host`
    fn parameter(&self) -> String {
        let name = self.name();
        match self {
            Self::ModelDir => "dir: &ModelDir".to_owned(),
            Self::Own(_) => format!("host: &{name}"),
            _ => format!("{}: &{name}", name.to_lowercase()),
        }
    }

    /// Whether building blocks can be applied to it.
    fn takes_blocks(&self) -> bool {
        !matches!(self, Self::Own(_) | Self::ModelDir)
    }

    /// How to get the one whose type is called so, if it is one of them.
    fn advice(called: &str) -> Option<String> {
        if called == "ModelDir" {
            return Some("; `&ModelDir` belongs to `#[model_tasks]`".to_owned());
        }
        let (kind, other) = Self::KINDS.into_iter().find(|(_, other)| other.name() == called)?;
        let argument = if matches!(other, Self::Host) { String::new() } else { format!("({kind})") };
        Some(format!("; `&{called}` belongs to `#[customization{argument}]`"))
    }
}

/// A parameter with `#[inject]`.
pub(crate) struct Parameter {
    name: String,
    span: Span,
    /// The type that is asked for: `Arc<T>` for `&T`.
    pub(crate) wanted: Type,
    asked: Asked,
    pass: Pass,
}

/// How what was asked for becomes what the function takes.
#[derive(Clone, Copy)]
enum Pass {
    AsIs,
    /// `&T` from `Arc<T>`.
    Dereferenced,
    /// `&Placed<T>`, `&Arc<T>`.
    Borrowed,
    /// `Option<&T>` from `Option<Arc<T>>`.
    OptionDereferenced,
}

impl Parameter {
    /// That nothing is injected into the functions of a model: it has all that it needs itself.
    pub(crate) fn not_of_a_model(&self, errors: &mut Errors) {
        let (name, ty) = (&self.name, types::text(&self.wanted));
        let ty = ty.trim_start_matches("::std::sync::");
        errors.push(syn::Error::new(
            self.span,
            format!("a model's tasks have the model: give it a field `#[inject] {name}: {ty}`, and write `self.{name}`"),
        ));
    }

    pub(crate) fn need(&self) -> TokenStream {
        self.asked.need(&self.wanted, &self.name, self.span)
    }

    fn pass(&self, asked: &Ident) -> TokenStream {
        match self.pass {
            Pass::AsIs => quote!(#asked),
            Pass::Dereferenced => quote!(&*#asked),
            Pass::Borrowed => quote!(&#asked),
            Pass::OptionDereferenced => quote!(#asked.as_deref()),
        }
    }
}

impl Function {
    /// Reads the signature of a function that takes `&self`, the host and injected values. `kind` is its attribute. Nothing
    /// is returned if the function cannot be called; why is reported.
    pub(crate) fn parse(
        kind: &str,
        workplace: &Workplace,
        returns: Returns,
        function: &mut ImplItemFn,
        errors: &mut Errors,
    ) -> Option<Self> {
        let before = errors.count();
        let sig = &mut function.sig;
        if sig.asyncness.is_none() {
            errors.at(
                sig.fn_token,
                format!("`#[{kind}]` is on a function that is not async; write `async fn {}`", sig.ident),
            );
        }
        plain(kind, sig, errors);
        receiver(kind, sig, errors);
        let form = match returns {
            Returns::Nothing => "Result<()>",
            Returns::Bool | Returns::Completed => "Result<bool>",
            Returns::Blocks { .. } => "Blocks",
        };
        if !returns_result(&sig.output, returns) {
            let or = if returns == Returns::Completed { " or `Result<Completed>`" } else { "" };
            let message = format!("a function with `#[{kind}]` returns `{form}`{or}");
            match &sig.output {
                ReturnType::Default => errors.at(&sig.ident, format!("{message}; write `-> {form}`")),
                ReturnType::Type(_, ty) => errors.at(ty, format!("{message}, not `{}`", types::text(ty))),
            }
        }
        let says = match &sig.output {
            ReturnType::Type(_, ty) if returns == Returns::Completed => {
                types::argument(ty, "Result").cloned()
            }
            _ => None,
        };
        let says = says.filter(|ty| types::head(ty).as_deref() != Some("bool"));
        let mut inputs = sig.inputs.iter_mut().filter(|input| matches!(input, FnArg::Typed(_)));
        match inputs.next() {
            Some(input) => host(kind, workplace, input, errors),
            None => {
                let (what, parameter) = (workplace.what(), workplace.parameter());
                let message =
                    format!("a function with `#[{kind}]` takes {what} it works on: `(&self, {parameter})`");
                errors.at(&sig.ident, message);
            }
        }
        let injected: Vec<_> = inputs.filter_map(|input| parameter(input, true, errors)).collect();
        (errors.count() == before).then(|| Self { ident: sig.ident.clone(), injected, returns, says })
    }
}

impl Function {
    /// What a setup task returns that returns building blocks, if it does.
    pub(crate) fn returned_blocks(sig: &Signature) -> Option<(Returns, &Type)> {
        let ReturnType::Type(_, ty) = &sig.output else { return None };
        let (fallible, blocks) = match types::argument(ty, "Result") {
            Some(inner) => (true, inner),
            None => (false, &**ty),
        };
        let is_blocks = types::head(blocks).as_deref() == Some("Blocks");
        is_blocks.then_some((Returns::Blocks { fallible }, blocks))
    }

    /// Reads the signature of a setup task that returns building blocks: `&self`, and injected values.
    pub(crate) fn parse_blocks(
        workplace: &Workplace,
        returns: Returns,
        function: &mut ImplItemFn,
        errors: &mut Errors,
    ) -> Option<Self> {
        let before = errors.count();
        let kind = "setup_task";
        let sig = &mut function.sig;
        if let Some(asyncness) = &sig.asyncness {
            let message =
                "a setup task that returns `Blocks` is not async: a plan calls it before anything runs";
            errors.at(asyncness, message);
        }
        plain(kind, sig, errors);
        receiver(kind, sig, errors);
        if let Some((_, blocks)) = Self::returned_blocks(sig).filter(|_| !workplace.takes_blocks()) {
            let parameter = workplace.parameter();
            let message = format!(
                "building blocks are made true of a machine or its files\nwrite `async fn {}(&self, {parameter}) -> Result<()>`",
                sig.ident
            );
            errors.at(blocks, message);
        } else if let Some((_, blocks)) = Self::returned_blocks(sig) {
            let of = types::argument(blocks, "Blocks").and_then(types::head);
            let of = of.unwrap_or_else(|| Workplace::Host.name());
            if of != workplace.name() {
                let (whose, name) = (workplace.whose(), workplace.name());
                let form = if matches!(workplace, Workplace::Host) {
                    "Blocks".to_owned()
                } else {
                    format!("Blocks<{name}>")
                };
                let text = types::text(blocks);
                let message = format!("{whose} on a `{name}`; write `{form}`, not `{text}`");
                errors.at(blocks, message);
            }
        }
        let mut injected = Vec::new();
        for input in sig.inputs.iter_mut().filter(|input| matches!(input, FnArg::Typed(_))) {
            let FnArg::Typed(typed) = &*input else { continue };
            let called = types::referent(&typed.ty).and_then(types::head);
            if Workplace::KINDS.iter().any(|(_, workplace)| called.as_deref() == Some(&workplace.name())) {
                let message = "a setup task that returns `Blocks` takes no host: it says what is to be there, and \
                               changes nothing itself\nwrite `(&self)`, or `async fn` with `-> Result<()>` to work on the host";
                errors.at(&*input, message);
                continue;
            }
            injected.extend(parameter(input, true, errors));
        }
        (errors.count() == before).then(|| Self { ident: sig.ident.clone(), injected, returns, says: None })
    }
}

/// No generics, no `unsafe`, no `extern`.
pub(crate) fn plain(kind: &str, sig: &Signature, errors: &mut Errors) {
    if !sig.generics.params.is_empty() {
        errors.at(
            &sig.generics,
            format!("a function with `#[{kind}]` is not generic: nobody would choose the types"),
        );
    }
}

/// `&self`.
pub(crate) fn receiver(kind: &str, sig: &Signature, errors: &mut Errors) {
    let shared = |receiver: &syn::Receiver| quote!(#receiver).to_string().replace(' ', "") == "&self";
    match sig.receiver() {
        Some(receiver) if shared(receiver) => {}
        Some(receiver) => errors.at(receiver, format!("a function with `#[{kind}]` takes `&self`")),
        None => errors.at(&sig.ident, format!("a function with `#[{kind}]` takes `&self` first")),
    }
}

fn returns_result(output: &ReturnType, returns: Returns) -> bool {
    let ReturnType::Type(_, ty) = output else { return false };
    types::argument(ty, "Result").is_some_and(|inner| match returns {
        Returns::Nothing => types::is_unit(inner),
        Returns::Bool => types::head(inner).as_deref() == Some("bool"),
        Returns::Completed => true,
        Returns::Blocks { .. } => types::head(inner).as_deref() == Some("Blocks"),
    })
}

fn host(kind: &str, workplace: &Workplace, input: &mut FnArg, errors: &mut Errors) {
    let taken = field::take(argument_attributes(input), &["inject"]);
    let FnArg::Typed(input) = input else { return };
    if !taken.is_empty() {
        let (what, parameter) = (workplace.what(), workplace.parameter());
        let message = format!("the first parameter of a function with `#[{kind}]` is {what}: `{parameter}`");
        errors.at(&*input, message);
        return;
    }
    let called = types::referent(&input.ty).and_then(types::head);
    if called.as_deref() != Some(&workplace.name()) {
        let (whose, name, text) = (workplace.whose(), workplace.name(), types::text(&input.ty));
        let advice = called.as_deref().and_then(Workplace::advice).unwrap_or_default();
        errors.at(&input.ty, format!("{whose} on `&{name}`, not on `{text}`{advice}"));
    }
}

/// A parameter after the host.
///
/// `of_task` if it is a task's or a check's, which can have more than a value's.
pub(crate) fn parameter(input: &mut FnArg, of_task: bool, errors: &mut Errors) -> Option<Parameter> {
    let mut taken = field::take(argument_attributes(input), &["inject"]);
    let FnArg::Typed(input) = input else { return None };
    let name = match &*input.pat {
        Pat::Ident(pat) => pat.ident.unraw().to_string(),
        _ => "_".to_owned(),
    };
    let Some((_, attribute)) = taken.pop() else {
        let (name, ty) = (quote!(#input).to_string(), types::text(&input.ty));
        let name = name.split(':').next().unwrap_or_default().trim();
        errors.at(
            &*input,
            format!("nobody passes this parameter; ask for a value with `#[inject] {name}: {ty}`"),
        );
        return None;
    };
    let arguments = options::arguments(&attribute, errors);
    let (wanted, pass) = wanted(&input.ty)?;
    let asked = Asked::parse(arguments, &wanted, errors);
    if field::generated(&wanted) && !of_task {
        errors.at(&input.ty, field::GENERATED_LATER);
        return None;
    }
    if !field::wanted(&wanted) && !field::generated(&wanted) {
        let text = types::text(&input.ty);
        errors.at(
            &input.ty,
            format!(
                "a parameter takes an injected value as `&{text}`, `Option<&{text}>` or `Deferred<{text}>`"
            ),
        );
        return None;
    }
    Some(Parameter { name, span: input.pat.span(), wanted, asked, pass })
}

fn wanted(ty: &Type) -> Option<(Type, Pass)> {
    let reference = |ty: &Type| -> Type { parse_quote_spanned!(ty.span()=> ::std::sync::Arc<#ty>) };
    if let Some(referent) = types::referent(ty) {
        return Some(match types::head(referent).as_deref() {
            Some("Arc" | "Placed" | "Deferred" | "Quoted" | "All" | "Option" | "Generated") => {
                (referent.clone(), Pass::Borrowed)
            }
            _ => (reference(referent), Pass::Dereferenced),
        });
    }
    if let Some(referent) = types::argument(ty, "Option").and_then(types::referent) {
        let inner = reference(referent);
        return Some((
            parse_quote_spanned!(referent.span()=> ::core::option::Option<#inner>),
            Pass::OptionDereferenced,
        ));
    }
    Some((ty.clone(), Pass::AsIs))
}

/// The statements that ask for the parameters, and how each is passed on.
pub(crate) fn asked(parameters: &[Parameter]) -> (Vec<TokenStream>, Vec<TokenStream>) {
    let place = build::place();
    parameters
        .iter()
        .enumerate()
        .map(|(i, parameter)| {
            let asked = Ident::new(&format!("needed_{i}"), Span::mixed_site());
            let (ty, need) = (&parameter.wanted, parameter.need());
            let wanted = parameter.asked.wanted(ty);
            let found = quote!(<#wanted as ::carthage::layout::Wanted>::want(&#place, NEED).await?);
            let found = parameter.asked.or_default(ty, found, |expr, _| quote!(#expr));
            let ask = quote! {
                let #asked: #ty = {
                    const NEED: &::carthage::model::Need = &#need;
                    #found
                };
            };
            (ask, parameter.pass(&asked))
        })
        .unzip()
}
