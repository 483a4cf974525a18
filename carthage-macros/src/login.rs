//! The arguments of `#[machine_model]` that say how a machine is reached by ssh.

use proc_macro2::{Ident, Span, TokenStream};
use quote::quote;
use syn::{Type, parse_quote};

use crate::capability::Capability;
use crate::errors::Errors;
use crate::literal;
use crate::options::{self, Known, Options, Switch, TextOrType};
use crate::start::Dependency;
use crate::words;

/// The arguments.
pub(crate) const OPTIONS: [Known; 12] = [
    options::text("ip_address", "ip_address = \"192.0.2.7\""),
    options::number("ssh_port", "ssh_port = 22"),
    options::text("ssh_login_user", "ssh_login_user = \"root\""),
    options::text("ssh_key", "ssh_key = \"$HOME/.ssh/id_ed25519\""),
    options::text("ssh_host_key", "ssh_host_key = \"ssh-ed25519 AAAA…\""),
    options::flag("ssh_learn_host_key", "ssh_learn_host_key"),
    options::text_or_type("ssh_jump", "ssh_jump = Gateway"),
    options::type_("ssh_origin", "ssh_origin = Gateway"),
    options::switch("ssh_online", "ssh_online = false"),
    options::number("ssh_online_timeout", "ssh_online_timeout = 60"),
    options::number("ssh_online_retries", "ssh_online_retries = 10"),
    options::text("privilege", "privilege = \"sudo\""),
];

/// What they say.
pub(crate) struct Login {
    /// The builder call for the node.
    pub(crate) node: TokenStream,
    /// What they ask of the implementation.
    pub(crate) needs: Vec<Capability>,
    /// Machines that must run first.
    pub(crate) depends_on: Vec<Dependency>,
    /// As whom.
    pub(crate) user: Option<String>,
    /// Whether that user can become another.
    pub(crate) privileged: bool,
    /// Whether they say where the machine is.
    pub(crate) located: bool,
}

/// Reads them.
pub(crate) fn read(options: &mut Options, errors: &mut Errors) -> Login {
    let given: Vec<Span> = OPTIONS.iter().filter_map(|known| options.span(known.name())).collect();
    let located = options.span("ip_address").is_some();
    let (mut calls, mut depends_on) = (TokenStream::new(), Vec::new());
    if let Some((address, _)) = options.text("ip_address", literal::place, errors) {
        calls.extend(quote!(.address(#address)));
    }
    if let Some(port) = options.number("ssh_port", literal::port, errors) {
        calls.extend(quote!(.port(#port)));
    }
    let user = options.text("ssh_login_user", literal::user, errors).map(|(user, _)| user);
    calls.extend(user.as_ref().map(|user| quote!(.user(#user))));
    if let Some((key, _)) = options.text("ssh_key", literal::host_path, errors) {
        calls.extend(quote!(.key(#key)));
    }
    let pinned = options.text("ssh_host_key", literal::ssh_key, errors);
    if let Some((key, _)) = &pinned {
        calls.extend(quote!(.host_key(#key)));
    }
    if let Some(span) = options.flag("ssh_learn_host_key") {
        if pinned.is_some() {
            let message = "a host key that is pinned is not learned; leave one of the two out";
            errors.push(syn::Error::new(span, message));
        }
        calls.extend(quote!(.learn_host_key()));
    }
    let mut machine = |ty: Type| {
        let key = quote!(<#ty as ::carthage::layout::Model>::KEY);
        depends_on.push(Dependency::on(ty));
        key
    };
    match options.text_or_type("ssh_jump", literal::jump, errors) {
        Some(TextOrType::Text((host, _))) => {
            calls.extend(quote!(.jump(::carthage::model::Through::Host(#host))))
        }
        Some(TextOrType::Type(ty)) => {
            let key = machine(*ty);
            calls.extend(quote!(.jump(::carthage::model::Through::Machine(#key))));
        }
        None => {}
    }
    if let Some(ty) = options.ty("ssh_origin") {
        let key = machine(ty);
        calls.extend(quote!(.origin(#key)));
    }
    match options.switch("ssh_online") {
        Some((Switch::Type(ty), _)) => {
            errors.push(syn::Error::new_spanned(
                ty,
                "`ssh_online` is `true` or `false`: whether it is waited for",
            ));
        }
        Some((switch, _)) => {
            let online = matches!(switch, Switch::On);
            calls.extend(quote!(.online(#online)));
        }
        None => {}
    }
    if let Some(seconds) = options.number("ssh_online_timeout", literal::positive, errors) {
        calls.extend(quote!(.online_timeout(#seconds)));
    }
    let mut needs: Vec<_> = given.first().map(|span| Capability::new("Login", *span)).into_iter().collect();
    let at = options.span("ssh_online_retries");
    if let (Some(span), Some(retries)) = (at, options.number("ssh_online_retries", literal::count, errors)) {
        calls.extend(quote!(.online_retries(#retries)));
        needs.push(Capability::new("OnlineRetries", span));
    }
    let privileged = options.span("privilege").is_some();
    if let Some((privilege, span)) = options.text("privilege", words::privilege, errors) {
        let privilege = Ident::new(privilege, span);
        calls.extend(quote!(.privilege(::carthage::machine::engine::Privilege::#privilege)));
        needs.push(Capability::new("Privileges", span));
    }
    let login: TokenStream = parse_quote!(::carthage::model::Login::ANY #calls);
    Login {
        node: if given.is_empty() { TokenStream::new() } else { quote!(.login(#login)) },
        needs,
        depends_on,
        user,
        privileged,
        located,
    }
}

/// Only root can run commands as another user, and whoever has a way to become root.
pub(crate) fn check_users(login: &Login, runs_as: Option<&(String, Span)>, errors: &mut Errors) {
    let (Some(user), Some((runs_as, span))) = (&login.user, runs_as) else { return };
    if login.privileged || user == runs_as || matches!(user.as_str(), "root" | "0") {
        return;
    }
    let message = format!(
        "`{user}`, who logs in, cannot run commands as `{runs_as}`; write `ssh_login_user = \"root\"` or \
         `ssh_login_user = \"{runs_as}\"`, or say how `{user}` becomes `{runs_as}`: `privilege = \"sudo\"`"
    );
    errors.push(syn::Error::new(*span, message));
}
