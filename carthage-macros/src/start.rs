//! What machines start after: `#[depends_on]`, `#[ignore_dependency]`, and the arguments that are about both.

use proc_macro2::{Span, TokenStream};
use quote::quote;
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};
use syn::spanned::Spanned;
use syn::{Attribute, Expr, Ident, ItemStruct, Token, Type};

use crate::errors::Errors;
use crate::field;
use crate::node::{self, at};
use crate::options::{self, Known, Options, Switch};

/// The argument of what inherits start dependencies.
pub(crate) const OVERRIDES: Known = options::switch(
    "override_dependencies",
    "override_dependencies = true` or `override_dependencies = Algebra",
);

/// The argument of a machine whose model has its say.
pub(crate) const COLLECTS: Known =
    options::expression("start_dependencies", "start_dependencies = Self::only_the_gateway");

/// The argument of what says at run time what it needs.
pub(crate) const DYNAMIC: Known =
    options::expression("dynamic_dependencies", "dynamic_dependencies = Self::needs");

const ON_MODEL: &[Known] = &[
    options::idents("name", "name = mirror_b"),
    options::expression("command", "command = [\"ping\", \"-c1\", \"10.1.0.2\"]"),
    options::number("wait_limit_seconds", "wait_limit_seconds = 60"),
];

const IGNORED: &[Known] = &[options::idents("name", "name = mirror_b")];

const ON_VALUE: &[Known] = &[options::type_("with", "with = License")];

/// How long it is waited for a command, in seconds, if nothing is said.
const LIMIT_SECONDS: u64 = 60;

/// What a model says of starts.
#[derive(Default)]
pub(crate) struct Starts {
    pub(crate) depends_on: Vec<Dependency>,
    ignores: Vec<Dependency>,
    overrides: Option<(Option<Type>, Span)>,
    /// What the model makes of its start dependencies.
    collects: Option<Expr>,
    /// What it needs beyond what the source says.
    dynamic: Option<Expr>,
}

/// What is depended on.
#[derive(Clone)]
pub(crate) struct Dependency {
    ty: Type,
    /// Whether it is a value that says itself how long it is waited for.
    is_value: bool,
    field: Option<String>,
    /// What has to succeed in it, and for how many seconds that is tried.
    command: Option<(Expr, TokenStream)>,
}

impl Dependency {
    /// On a machine or an enclave.
    pub(crate) fn on(ty: Type) -> Self {
        Self { ty, is_value: false, field: None, command: None }
    }
}

/// Takes them off the struct.
pub(crate) fn take(attribute: &str, item: &mut ItemStruct, errors: &mut Errors) -> Starts {
    let mut starts = Starts::default();
    for (name, found) in field::take(&mut item.attrs, &["depends_on", "ignore_dependency"]) {
        if ["network", "role", "image"].contains(&attribute) {
            errors.at(
                &found,
                format!("`#[{name}]` belongs on a `#[machine_model]`, `#[enclave]` or `#[layout]`"),
            );
            continue;
        }
        if name == "depends_on" {
            starts.depends_on.extend(dependency(&found, errors));
        } else if attribute == "layout" {
            errors.at(&found, "nothing is around a layout; it inherits no dependency that it could ignore");
        } else {
            starts.ignores.extend(ignored(&found, errors));
        }
    }
    starts
}

/// `#[depends_on(T, name = field, command = […], wait_limit_seconds = 60)]`, or `#[depends_on(with = T)]`.
fn dependency(found: &Attribute, errors: &mut Errors) -> Option<Dependency> {
    let arguments = options::arguments(found, errors);
    if arguments.is_empty() {
        errors.at(found, "say what must run first: `#[depends_on(Mirror)]`");
        return None;
    }
    let (ty, rest) = match parts("depends_on", ON_MODEL, arguments, errors)? {
        Parts::Value(dependency) => return Some(dependency),
        Parts::Model(ty, rest) => (ty, rest),
    };
    let mut options = Options::parse("depends_on", ON_MODEL, rest, errors);
    let field = field(&mut options);
    let limit_at = options.span("wait_limit_seconds");
    let limit = options.number("wait_limit_seconds", seconds, errors);
    let command = options.expr("command");
    if let Some(argv) = &command {
        match argv {
            Expr::Array(argv) if argv.elems.is_empty() => {
                errors.at(argv, "a command has a program: `command = [\"ping\", \"-c1\", \"10.1.0.2\"]`");
                return None;
            }
            Expr::Array(_) => {}
            other => {
                errors.at(
                    other,
                    "a command is a list of a program and its arguments: `command = [\"ping\", \"-c1\", \"10.1.0.2\"]`",
                );
                return None;
            }
        }
    } else if let Some(span) = limit_at.filter(|_| options.sound) {
        let message = "`wait_limit_seconds` is for a `command`; for a machine it is waited as long as it takes to start";
        errors.push(syn::Error::new(span, message));
        return None;
    }
    let command =
        command.map(|argv| (argv, limit.map_or_else(|| quote!(#LIMIT_SECONDS), |limit| quote!(#limit))));
    options.sound.then_some(Dependency { ty, is_value: false, field, command })
}

/// `#[ignore_dependency(T, name = field)]`, or `#[ignore_dependency(with = T)]`.
fn ignored(found: &Attribute, errors: &mut Errors) -> Option<Dependency> {
    let arguments = options::arguments(found, errors);
    if arguments.is_empty() {
        errors.at(found, "say which dependency is ignored: `#[ignore_dependency(Mirror)]`");
        return None;
    }
    let (ty, rest) = match parts("ignore_dependency", IGNORED, arguments, errors)? {
        Parts::Value(dependency) => return Some(dependency),
        Parts::Model(ty, rest) => (ty, rest),
    };
    let mut options = Options::parse("ignore_dependency", IGNORED, rest, errors);
    let field = field(&mut options);
    options.sound.then_some(Dependency { ty, is_value: false, field, command: None })
}

enum Parts {
    /// `with = T`
    Value(Dependency),
    /// A type, and what comes after it.
    Model(Type, TokenStream),
}

fn parts(attribute: &str, known: &[Known], arguments: TokenStream, errors: &mut Errors) -> Option<Parts> {
    let begins_with = |input: ParseStream<'_>| {
        let first = if input.peek2(Token![=]) { input.fork().call(Ident::parse_any).ok() } else { None };
        input.parse::<TokenStream>()?;
        Ok(first)
    };
    if let Some(Some(first)) = errors.keep(begins_with.parse2(arguments.clone())) {
        if known.iter().any(|known| first == known.name()) {
            errors.at(&first, format!("say first on what: `#[{attribute}(Mirror, {first} = …)]`"));
            return None;
        }
        let mut options = Options::parse(attribute, ON_VALUE, arguments, errors);
        let ty = options.ty("with").filter(|_| options.sound)?;
        return Some(Parts::Value(Dependency { ty, is_value: true, field: None, command: None }));
    }
    let parsed = |input: ParseStream<'_>| {
        let ty: Type = input.parse()?;
        if !input.is_empty() {
            input.parse::<Token![,]>()?;
        }
        Ok(Parts::Model(ty, input.parse()?))
    };
    errors.keep(parsed.parse2(arguments))
}

fn field(options: &mut Options) -> Option<String> {
    options.idents("name").first().map(|name| name.unraw().to_string())
}

/// The key of a model or role, or of `dyn` of a trait by which machines are found.
pub(crate) fn placed_key(ty: &Type) -> TokenStream {
    match ty {
        Type::TraitObject(_) => quote!(<#ty as ::carthage::layout::Findable>::FOUND),
        _ => quote!(<#ty as ::carthage::layout::Model>::KEY),
    }
}

/// Seconds for which somebody may wait.
pub(crate) fn seconds(value: u64) -> Result<(), String> {
    match value {
        0 => Err("must be more than 0".to_owned()),
        1..=86_400 => Ok(()),
        _ => Err(format!("{value} seconds are more than a day; nobody waits that long")),
    }
}

impl Starts {
    /// Reads the arguments of a model that are about starts.
    pub(crate) fn read(&mut self, options: &mut Options) {
        self.collects = options.expr("start_dependencies");
        self.read_dynamic(options);
        self.overrides = options.switch("override_dependencies").and_then(|(switch, span)| match switch {
            Switch::Off => None,
            Switch::On => Some((None, span)),
            Switch::Type(ty) => Some((Some(*ty), span)),
        });
    }

    /// Reads the argument of a model that says at run time what it needs.
    pub(crate) fn read_dynamic(&mut self, options: &mut Options) {
        self.dynamic = options.expr("dynamic_dependencies");
    }

    /// The builder calls for the node.
    pub(crate) fn node(&self) -> TokenStream {
        let dependencies = self.depends_on.iter().map(|Dependency { ty, is_value, field, command }| {
            let at = at(ty.span());
            if *is_value {
                let awaited = quote!(<#ty as ::carthage::machine::start::Awaited>);
                return quote!(::carthage::model::Dependency::value(#awaited::AWAITED, #awaited::OF, #at));
            }
            let field = field.as_ref().map(|field| quote!(.field(#field)));
            let command = command.as_ref().map(|(argv, limit)| quote!(.command(&#argv, #limit)));
            let key = placed_key(ty);
            quote!(::carthage::model::Dependency::new(#key, #at) #field #command)
        });
        let dependencies = (!self.depends_on.is_empty()).then(|| quote!(.depends_on(&[#(#dependencies),*])));
        let ignores = self.ignores.iter().map(|Dependency { ty, is_value, field, .. }| {
            let (at, field) = (at(ty.span()), node::option(field.as_ref()));
            let key = match is_value {
                true => quote!(<#ty as ::carthage::inject::Injectable>::KEY),
                false => placed_key(ty),
            };
            quote!(::carthage::model::Ignored { key: #key, field: #field, at: #at })
        });
        let ignores = (!self.ignores.is_empty()).then(|| quote!(.ignores(&[#(#ignores),*])));
        let overrides = self.overrides.as_ref().map(|(scope, span)| {
            let at = at(*span);
            let scope =
                node::option(scope.as_ref().map(|ty| quote!(<#ty as ::carthage::layout::Model>::KEY)));
            quote!(.overrides(#scope, #at))
        });
        let starts = (ignores.is_some() || overrides.is_some())
            .then(|| quote!(.starts(::carthage::model::Starts::INHERITED #ignores #overrides)));
        quote!(#dependencies #starts)
    }

    /// The items of `impl Model` by which the model has its say.
    pub(crate) fn items(&self) -> TokenStream {
        let collects = self.collects.as_ref().map(|collects| {
            let prerequisites = quote!(::std::vec::Vec<::carthage::machine::start::Prerequisite>);
            let of = quote!(fn(::carthage::model::Placement, #prerequisites) -> #prerequisites);
            quote! {
                fn start_dependencies(machine: ::carthage::model::Placement, collected: #prerequisites) -> #prerequisites {
                    let collects: #of = #collects;
                    collects(machine, collected)
                }
            }
        });
        let dynamic = self.dynamic.as_ref().map(|dynamic| {
            quote! {
                const DYNAMIC_DEPENDENCIES: ::core::option::Option<::carthage::layout::Dynamic<Self>> =
                    ::core::option::Option::Some(|me| ::std::boxed::Box::pin((#dynamic)(me)));
            }
        });
        quote!(#collects #dynamic)
    }
}
