//! The attribute macros of Carthage. Use them through the face crate `carthage`.

mod addressing;
mod asked;
mod build;
mod capability;
mod constraint;
mod container;
mod customization;
mod depends_on;
mod elsewhere;
mod enclave;
mod entry;
mod errors;
mod expand;
mod field;
mod hardware;
mod image;
mod implements;
mod injectable;
mod ipv4;
mod late;
mod layout;
mod link;
mod literal;
mod login;
mod machine;
mod mask;
mod member;
mod model;
mod model_tasks;
mod moved;
mod names;
mod network;
mod node;
mod options;
mod own_options;
mod policy;
mod profile;
mod provide;
mod role;
mod shared;
mod signature;
mod start;
mod surroundings;
mod task;
mod tokens;
mod types;
mod warning;
mod words;

use proc_macro::TokenStream;
use syn::Item;

/// The top of the tree.
#[proc_macro_attribute]
pub fn layout(arguments: TokenStream, item: TokenStream) -> TokenStream {
    entry::on_struct("layout", item.into(), |item, errors| layout::expand(arguments.into(), item, errors))
        .into()
}

/// A group.
#[proc_macro_attribute]
pub fn enclave(arguments: TokenStream, item: TokenStream) -> TokenStream {
    entry::on_struct("enclave", item.into(), |item, errors| enclave::expand(arguments.into(), item, errors))
        .into()
}

/// A logical network.
#[proc_macro_attribute]
pub fn network(arguments: TokenStream, item: TokenStream) -> TokenStream {
    entry::on_struct("network", item.into(), |item, errors| network::expand(arguments.into(), item, errors))
        .into()
}

/// A machine's model.
#[proc_macro_attribute]
pub fn machine_model(arguments: TokenStream, item: TokenStream) -> TokenStream {
    entry::on_struct("machine_model", item.into(), |item, errors| {
        machine::expand(arguments.into(), item, errors)
    })
    .into()
}

/// A bundle of parts that machines take in; or a trait by which they are found.
#[proc_macro_attribute]
pub fn role(arguments: TokenStream, item: TokenStream) -> TokenStream {
    entry::on_item(item.into(), |item, errors| match item {
        Item::Struct(item) => role::expand(arguments.into(), item, errors),
        Item::Trait(item) => implements::expand(arguments.into(), item, errors),
        other => entry::misplaced("role", "a struct or a trait", other, errors),
    })
    .into()
}

/// What the roots of machines are made from.
#[proc_macro_attribute]
pub fn image(arguments: TokenStream, item: TokenStream) -> TokenStream {
    entry::on_struct("image", item.into(), |item, errors| image::expand(arguments.into(), item, errors))
        .into()
}

/// A set of setup tasks.
#[proc_macro_attribute]
pub fn customization(arguments: TokenStream, item: TokenStream) -> TokenStream {
    entry::on_impl("customization", item.into(), |item, errors| {
        customization::expand(arguments.into(), item, errors)
    })
    .into()
}

/// Setup tasks of a model itself.
#[proc_macro_attribute]
pub fn model_tasks(arguments: TokenStream, item: TokenStream) -> TokenStream {
    entry::on_impl("model_tasks", item.into(), |item, errors| {
        model_tasks::expand(arguments.into(), item, errors)
    })
    .into()
}

/// A key.
#[proc_macro_attribute]
pub fn injectable(arguments: TokenStream, item: TokenStream) -> TokenStream {
    entry::on_item(item.into(), |item, errors| injectable::expand(arguments.into(), item, errors)).into()
}

/// What tells values of one type apart: `#[constraint] struct Site(&'static str);`
#[proc_macro_attribute]
pub fn constraint(arguments: TokenStream, item: TokenStream) -> TokenStream {
    entry::on_item(item.into(), |item, errors| constraint::expand(arguments.into(), item, errors)).into()
}

/// A key for a type of somebody else's.
#[proc_macro]
pub fn injection_key(input: TokenStream) -> TokenStream {
    match syn::parse::<injectable::InjectionKey>(input) {
        Ok(key) => key.expand().into(),
        Err(error) => error.to_compile_error().into(),
    }
}

/// A setup task of a machine's model, to be looked at or forced by hand: `mirror.task(task!(Mirror.site.index))`.
#[proc_macro]
pub fn task(input: TokenStream) -> TokenStream {
    elsewhere::task(input.into()).unwrap_or_else(|error| error.to_compile_error()).into()
}

/// All tasks of a customization of a machine's model, to be looked at by hand: `mirror.tasks(tasks!(Mirror.site))`.
#[proc_macro]
pub fn tasks(input: TokenStream) -> TokenStream {
    elsewhere::tasks(input.into()).unwrap_or_else(|error| error.to_compile_error()).into()
}

/// A link of another machine's model: `link!(Switch.port1)`. There is no such field if there is no such link.
#[proc_macro]
pub fn link(input: TokenStream) -> TokenStream {
    match syn::parse::<link::Named>(input) {
        Ok(named) => named.expand().into(),
        Err(error) => error.to_compile_error().into(),
    }
}

/// What must run first: `#[depends_on(Mirror)]`, `#[depends_on(Gateway, command = ["ping", "-c1", "10.1.0.2"])]`,
/// `#[depends_on(with = License)]`.
#[proc_macro_attribute]
pub fn depends_on(arguments: TokenStream, item: TokenStream) -> TokenStream {
    depends_on::on_model("depends_on", depends_on::SCOPES, arguments.into(), item.into()).into()
}

/// What scopes around depend on, and what is in here does not: `#[ignore_dependency(Mirror)]`.
#[proc_macro_attribute]
pub fn ignore_dependency(arguments: TokenStream, item: TokenStream) -> TokenStream {
    let belongs =
        ("a `#[machine_model]` or `#[enclave]`", "a struct with `#[machine_model]` or `#[enclave]`");
    depends_on::on_model("ignore_dependency", belongs, arguments.into(), item.into()).into()
}

/// A value of the scopes around that is hidden in here: `#[mask(JoinToken)]`, `#[mask(JoinToken, Site = "red")]`.
#[proc_macro_attribute]
pub fn mask(arguments: TokenStream, item: TokenStream) -> TokenStream {
    depends_on::on_model("mask", depends_on::SCOPES, arguments.into(), item.into()).into()
}

/// A trait by which a machine is found: `#[implements(dyn Database)]`.
#[proc_macro_attribute]
pub fn implements(arguments: TokenStream, item: TokenStream) -> TokenStream {
    let belongs = ("a `#[machine_model]` or `#[role]`", "a struct with `#[machine_model]` or `#[role]`");
    depends_on::on_model("implements", belongs, arguments.into(), item.into()).into()
}

/// A variable of the environment of everything that runs in a machine: `#[env(NAME = "value")]`.
#[proc_macro_attribute]
pub fn env(arguments: TokenStream, item: TokenStream) -> TokenStream {
    depends_on::on_machine("env", arguments.into(), item.into()).into()
}

/// Something of the host that a machine sees: `#[mount("/srv/data", at = "/data", readonly)]`.
#[proc_macro_attribute]
pub fn mount(arguments: TokenStream, item: TokenStream) -> TokenStream {
    depends_on::on_machine("mount", arguments.into(), item.into()).into()
}

/// A port of a machine that the host listens on: `#[expose(80, on = 8080)]`.
#[proc_macro_attribute]
pub fn expose(arguments: TokenStream, item: TokenStream) -> TokenStream {
    depends_on::on_machine("expose", arguments.into(), item.into()).into()
}

/// A way in which a layout is deployed: `#[profile(small, implementation = Sandbox)]`.
#[proc_macro_attribute]
pub fn profile(arguments: TokenStream, item: TokenStream) -> TokenStream {
    let belongs = ("a `#[layout]`", "a struct with `#[layout]`");
    depends_on::on_model("profile", belongs, arguments.into(), item.into()).into()
}

/// Options that an implementation has made up for itself: `#[options(Gpu { memory_gib: 4 })]`.
#[proc_macro_attribute]
pub fn options(arguments: TokenStream, item: TokenStream) -> TokenStream {
    depends_on::on_machine("options", arguments.into(), item.into()).into()
}

/// What becomes of a part without anybody naming it: `#[policy(destroy = retain, orphan = warn, auto_deploy = false)]`.
#[proc_macro_attribute]
pub fn policy(arguments: TokenStream, item: TokenStream) -> TokenStream {
    let belongs = ("a model", "a struct that is a model");
    depends_on::on_model("policy", belongs, arguments.into(), item.into()).into()
}

/// What a machine or a network was called before, so that it is kept under its new name: `#[moved_from("mirror")]`.
#[proc_macro_attribute]
pub fn moved_from(arguments: TokenStream, item: TokenStream) -> TokenStream {
    let belongs = (
        "a `#[machine_model]` or `#[network]`",
        "a struct with `#[machine_model]` or `#[network]`, or on a member field",
    );
    depends_on::on_model("moved_from", belongs, arguments.into(), item.into()).into()
}

/// A setup task.
#[proc_macro_attribute]
pub fn setup_task(_: TokenStream, item: TokenStream) -> TokenStream {
    depends_on::task("setup_task", item.into()).into()
}

/// Whether a task is done.
#[proc_macro_attribute]
pub fn check_completed(_: TokenStream, item: TokenStream) -> TokenStream {
    depends_on::task("check_completed", item.into()).into()
}

/// Whether a task must run again.
#[proc_macro_attribute]
pub fn invalidator(_: TokenStream, item: TokenStream) -> TokenStream {
    depends_on::task("invalidator", item.into()).into()
}

/// The inputs of a task.
#[proc_macro_attribute]
pub fn hash(_: TokenStream, item: TokenStream) -> TokenStream {
    depends_on::task("hash", item.into()).into()
}
