//! Setup tasks: their attributes, their order, and the functions that say whether they are done.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{Attribute, Expr, Generics, ImplItemFn};

use crate::customization::{ATTRIBUTES, body, guarded};
use crate::elsewhere::{self, Elsewhere};
use crate::errors::Errors;
use crate::literal;
use crate::model::about;
use crate::names;
use crate::node;
use crate::options::{self, Known, Options};
use crate::signature::{self, Function, Returns, Workplace};
use crate::start;
use crate::tokens;

const OPTIONS: &[Known] = &[
    options::elsewhere("after", "after = index` or `after = Mirror.site.index"),
    options::idents("before", "before = serve"),
    options::elsewhere("depend_on", "depend_on = Mirror` or `depend_on = (Mirror, name = mirror_b)"),
    options::elsewhere("depend_on_to_judge", "depend_on_to_judge = Mirror"),
    options::expression("hash", "hash = self.port"),
    options::text("user", "user = \"www-data\""),
    options::number("timeout_seconds", "timeout_seconds = 60"),
    options::number("retries", "retries = 3"),
];

/// One setup task.
pub(crate) struct Task {
    ident: Ident,
    about: String,
    cfgs: Vec<Attribute>,
    after: Vec<Ident>,
    before: Vec<Ident>,
    /// What it has to do with other machines.
    elsewhere: Vec<Elsewhere>,
    /// Names of the tasks before it, with the identifier that says so: from its `after` and the others' `before`.
    follows: Vec<(String, Ident)>,
    hash: Option<Hash>,
    /// As whom its commands run, if it says.
    user: Option<String>,
    /// Seconds that a try may take, and how often it is tried again.
    timeout: Option<Expr>,
    retries: Option<Expr>,
    source: u64,
    returns_blocks: bool,
    /// `None` if its signature is wrong.
    function: Option<Function>,
    checks: Vec<Check>,
    /// Whether it can be called.
    pub(crate) sound: bool,
}

/// What is hashed to tell whether a task's inputs changed.
enum Hash {
    Expr(Expr),
    Function(Ident),
}

/// A function that belongs to a task.
pub(crate) struct Check {
    kind: &'static str,
    task: Ident,
    cfgs: Vec<Attribute>,
    function: Option<Function>,
    hash: Option<Ident>,
}

impl Task {
    /// Reads a function with `#[setup_task]`.
    pub(crate) fn parse(
        attribute: &Attribute,
        workplace: &Workplace,
        source: TokenStream,
        cfgs: Vec<Attribute>,
        function: &mut ImplItemFn,
        errors: &mut Errors,
    ) -> Self {
        let arguments = options::arguments(attribute, errors);
        let mut options = Options::parse("setup_task", OPTIONS, arguments, errors);
        if let Some(span) = options.span("user").filter(|_| !matches!(workplace, Workplace::Host)) {
            let message = "only a machine's customization runs commands; leave `user` out";
            errors.push(syn::Error::new(span, message));
        }
        let (after, elsewhere) = elsewhere::parse(&mut options, errors);
        let blocks = Function::returned_blocks(&function.sig).map(|(returns, _)| returns);
        if let Some(span) =
            options.span("user").filter(|_| blocks.is_some() && matches!(workplace, Workplace::Host))
        {
            let message =
                "building blocks are not applied as a user: they say whose files are; leave `user` out";
            errors.push(syn::Error::new(span, message));
        }
        let read = match blocks {
            Some(returns) => Function::parse_blocks(workplace, returns, function, errors),
            None => Function::parse("setup_task", workplace, Returns::Nothing, function, errors),
        };
        Self {
            ident: function.sig.ident.clone(),
            about: about(&function.attrs),
            cfgs,
            after,
            before: options.idents("before"),
            elsewhere,
            follows: Vec::new(),
            hash: options.expr("hash").map(Hash::Expr),
            user: options.text("user", literal::user, errors).map(|(user, _)| user),
            timeout: options.number("timeout_seconds", start::seconds, errors),
            retries: options.number("retries", retries, errors),
            // What blocks are is compared with what is there; how they are written does not matter.
            source: if blocks.is_some() { 0 } else { tokens::hash(source, ATTRIBUTES) },
            returns_blocks: blocks.is_some(),
            sound: read.is_some(),
            function: read,
            checks: Vec::new(),
        }
    }

    /// Leaves out what nobody could tell of other machines.
    pub(crate) fn keep_certain(&mut self, generics: &Generics, errors: &mut Errors) {
        self.elsewhere.retain(|elsewhere| elsewhere.is_certain(generics, errors));
    }

    /// That it has to do with nothing but its model, which is made before any machine in it is.
    pub(crate) fn is_of_a_model(&mut self, errors: &mut Errors) {
        for elsewhere in self.elsewhere.drain(..) {
            errors.push(syn::Error::new(
                elsewhere.span(),
                "a model's tasks run before every machine in it; they have to do with tasks beside them only",
            ));
        }
        let checks = self.checks.iter().filter_map(|check| check.function.as_ref());
        let injected = self.function.iter().chain(checks).flat_map(|function| &function.injected);
        injected.for_each(|parameter| parameter.not_of_a_model(errors));
    }

    /// That the tasks of other machines are there that it names.
    pub(crate) fn proofs(&self) -> TokenStream {
        let proofs = self.elsewhere.iter().filter_map(Elsewhere::proof);
        proofs.map(|proof| guarded(&self.cfgs, proof)).collect()
    }

    fn name(&self) -> String {
        self.ident.unraw().to_string()
    }

    /// `TaskNode { … }`; `tasks` is the list that it is part of.
    pub(crate) fn node(&self, tasks: &[&Self]) -> TokenStream {
        let (name, about, at, source) = (self.name(), &self.about, node::at(self.ident.span()), self.source);
        let user = match &self.user {
            Some(user) => quote!(::core::option::Option::Some(#user)),
            None => quote!(::core::option::Option::None),
        };
        let (timeout, retries) = (node::option(self.timeout.as_ref()), &self.retries);
        let retries = retries.as_ref().map_or_else(|| quote!(0), |retries| quote!(#retries));
        let after = self.follows.iter().filter_map(|(name, _)| {
            let index = tasks.iter().position(|task| task.name() == *name)?;
            let (certain, perhaps): (Vec<_>, Vec<_>) =
                tasks[..index].iter().partition(|task| task.cfgs.is_empty());
            let certain = certain.len();
            let perhaps = perhaps.iter().map(|task: &&Self| node::condition(&task.cfgs));
            Some(guarded(&tasks[index].cfgs, quote!(#certain #(+ ::core::cfg!(#perhaps) as usize)*)))
        });
        let of = |kind| self.checks.iter().filter(move |check| check.kind == kind);
        let needs = self.function.iter().map(|function| (&[][..], function)).chain(
            of("invalidator")
                .chain(of("check_completed"))
                .filter_map(|check| Some((&check.cfgs[..], check.function.as_ref()?))),
        );
        let needs = needs.flat_map(|(cfgs, function)| {
            function.injected.iter().map(move |parameter| guarded(cfgs, parameter.need()))
        });
        let needs = needs.chain(self.elsewhere.iter().map(Elsewhere::need));
        let node = quote!(::carthage::model::TaskNode {
            name: #name,
            about: #about,
            at: #at,
            after: &[#(#after),*],
            user: #user,
            timeout_seconds: #timeout,
            retries: #retries,
            source: #source,
            needs: &[#(#needs),*],
        });
        guarded(&self.cfgs, node)
    }

    /// `Task::new(…)`.
    pub(crate) fn functions(&self) -> TokenStream {
        let Some(function) = &self.function else { return TokenStream::new() };
        let run = body(function);
        let hash = self.hash.as_ref().map(|hash| match hash {
            Hash::Expr(_) => {
                let method = self.hash_method_name();
                quote!(.hash(Self::#method))
            }
            Hash::Function(ident) => quote!(.hash(|this| ::carthage::task::digest(&this.#ident()))),
        });
        let checks = self.checks.iter().filter_map(|check| {
            let function = check.function.as_ref()?;
            let kind = if function.says.is_some() { "completed_since" } else { check.kind };
            let kind = Ident::new(kind, Span::call_site());
            let (name, body) = (function.ident.unraw().to_string(), body(function));
            Some(quote!(.#kind(#name, #body)))
        });
        let new = Ident::new(if self.returns_blocks { "blocks" } else { "new" }, Span::call_site());
        guarded(&self.cfgs, quote!(::carthage::customize::Task::<Self>::#new(#run) #hash #(#checks)*))
    }
}

impl Task {
    fn hash_method_name(&self) -> Ident {
        Ident::new(&format!("__inputs_of_{}", self.name()), self.ident.span())
    }

    /// The method that evaluates `hash = expression`: the expression speaks of `self`.
    pub(crate) fn hash_method(&self) -> Option<TokenStream> {
        let Some(Hash::Expr(expr)) = &self.hash else { return None };
        let name = self.hash_method_name();
        let digest = quote_spanned!(expr.span()=> ::carthage::task::digest(&(#expr)));
        let method = quote!(#[doc(hidden)] fn #name(&self) -> ::carthage::task::Digest { #digest });
        Some(guarded(&self.cfgs, method))
    }
}

/// How often something may be tried again.
fn retries(value: u64) -> Result<(), String> {
    match value {
        0..=100 => Ok(()),
        _ => Err(format!("{value} times are more than 100; what still fails then will fail again")),
    }
}

impl Check {
    /// Reads a function with `#[check_completed(t)]`, `#[invalidator(t)]` or `#[hash(t)]`.
    pub(crate) fn parse(
        kind: &'static str,
        attribute: &Attribute,
        workplace: &Workplace,
        cfgs: Vec<Attribute>,
        function: &mut ImplItemFn,
        errors: &mut Errors,
    ) -> Option<Self> {
        let arguments = options::arguments(attribute, errors);
        let task = syn::parse2::<Ident>(arguments).map_err(|_| {
            errors.at(attribute, format!("name the task that this is about: `#[{kind}(serve)]`"));
        });
        let (read, hash) = if kind == "hash" {
            (None, hash_function(function, errors))
        } else {
            let returns = if kind == "check_completed" { Returns::Completed } else { Returns::Bool };
            (Function::parse(kind, workplace, returns, function, errors), None)
        };
        Some(Self { kind, task: task.ok()?, cfgs, function: read, hash })
    }
}

/// `fn f(&self) -> T`, where `T` can be hashed.
fn hash_function(function: &mut ImplItemFn, errors: &mut Errors) -> Option<Ident> {
    let before = errors.count();
    let sig = &function.sig;
    if let Some(asyncness) = sig.asyncness {
        errors
            .at(asyncness, "a function with `#[hash]` is not async: the plan calls it before anything runs");
    }
    signature::plain("hash", sig, errors);
    signature::receiver("hash", sig, errors);
    for input in sig.inputs.iter().skip(1) {
        errors.at(input, "a function with `#[hash]` takes `&self` only");
    }
    (errors.count() == before).then(|| sig.ident.clone())
}

/// Gives every check to its task.
pub(crate) fn attach(tasks: &mut [Task], checks: Vec<Check>, errors: &mut Errors) {
    for check in checks {
        let written = check.task.unraw().to_string();
        let Some(at) = tasks.iter().position(|task| task.name() == written) else {
            unknown(&check.task, &written, tasks, errors);
            continue;
        };
        let task = &mut tasks[at];
        let twice = match check.kind {
            "hash" => task.hash.is_some(),
            kind => task.checks.iter().any(|other| other.kind == kind),
        };
        if twice {
            errors.at(&check.task, format!("`{written}` has its `{}` already", check.kind));
        } else if task.returns_blocks && check.kind == "check_completed" {
            let message = format!(
                "`{written}` returns `Blocks`, which are compared with what is there: that says whether it is done"
            );
            errors.at(&check.task, message);
        } else if let Some(hash) = check.hash {
            task.hash = Some(Hash::Function(hash));
        } else {
            task.checks.push(check);
        }
    }
}

fn unknown(ident: &Ident, written: &str, tasks: &[Task], errors: &mut Errors) {
    let all: Vec<String> = tasks.iter().map(Task::name).collect();
    let hint = names::did_you_mean(written, all.iter().map(String::as_str));
    let known = match all.len() {
        0 => "there are no setup tasks here".to_owned(),
        1 => format!("the only setup task here is {}", names::list(&all)),
        _ => format!("the setup tasks here are {}", names::list(&all)),
    };
    errors.at(ident, format!("no setup task is called `{written}`{hint}\n{known}"));
}

/// The order in which the tasks run: as they are written, except where `after` and `before` say otherwise.
pub(crate) fn order(tasks: &mut [Task], errors: &mut Errors) -> Vec<usize> {
    let mut edges = Vec::new();
    for (at, task) in tasks.iter().enumerate() {
        for (is_after, ident) in
            task.after.iter().map(|i| (true, i)).chain(task.before.iter().map(|i| (false, i)))
        {
            let written = ident.unraw().to_string();
            let word = if is_after { "after" } else { "before" };
            match tasks.iter().position(|task| task.name() == written) {
                None => unknown(ident, &written, tasks, errors),
                Some(other) if other == at => {
                    errors.at(ident, format!("`{written}` cannot run {word} itself"))
                }
                Some(other) if is_after => edges.push((other, at, ident.clone())),
                Some(other) => edges.push((at, other, ident.clone())),
            }
        }
    }
    let mut kept: Vec<(usize, usize)> = Vec::new();
    for (first, then, ident) in edges {
        if kept.contains(&(first, then)) {
            errors.at(
                &ident,
                format!(
                    "that `{}` runs before `{}` is said already",
                    tasks[first].name(),
                    tasks[then].name()
                ),
            );
            continue;
        }
        if let Some(way) = way(&kept, then, first) {
            let names = way.iter().chain([&then]).map(|&task| tasks[task].name()).collect::<Vec<_>>();
            errors.at(
                &ident,
                format!(
                    "these tasks wait for each other: {}\nremove one of their `after` and `before`",
                    names.join(" -> ")
                ),
            );
            continue;
        }
        kept.push((first, then));
        let name = tasks[first].name();
        tasks[then].follows.push((name, ident));
    }
    let mut order: Vec<usize> = Vec::new();
    while order.len() < tasks.len() {
        let free = |task: &usize| {
            !order.contains(task) && kept.iter().all(|(first, then)| then != task || order.contains(first))
        };
        // What is kept has no cycle, so one is always free.
        let Some(next) = (0..tasks.len()).find(free) else { break };
        order.push(next);
    }
    order
}

/// The tasks on a way from `from` to `to` along the edges, both ends included.
fn way(edges: &[(usize, usize)], from: usize, to: usize) -> Option<Vec<usize>> {
    fn walk(edges: &[(usize, usize)], at: usize, to: usize, seen: &mut Vec<usize>) -> Option<Vec<usize>> {
        if at == to {
            return Some(vec![at]);
        }
        if seen.contains(&at) {
            return None;
        }
        seen.push(at);
        edges.iter().filter(|(first, _)| *first == at).find_map(|(_, then)| {
            let mut way = walk(edges, *then, to, seen)?;
            way.insert(0, at);
            Some(way)
        })
    }
    walk(edges, from, to, &mut Vec::new())
}

#[cfg(test)]
mod tests {
    use super::*;
    use syn::parse_quote;

    fn tasks(functions: Vec<ImplItemFn>) -> (Vec<String>, usize) {
        let mut errors = Errors::default();
        let mut tasks: Vec<Task> = functions
            .into_iter()
            .map(|mut function| {
                let attribute = function.attrs.remove(0);
                Task::parse(
                    &attribute,
                    &Workplace::Host,
                    TokenStream::new(),
                    Vec::new(),
                    &mut function,
                    &mut errors,
                )
            })
            .collect();
        let order = order(&mut tasks, &mut errors);
        (order.iter().map(|&task| tasks[task].name()).collect(), errors.count())
    }

    #[test]
    fn tasks_run_as_written_unless_told_otherwise() {
        let (order, found) = tasks(vec![
            parse_quote!(
                #[setup_task(after = c)]
                async fn a(&self, host: &Host) -> Result<()> {}
            ),
            parse_quote!(
                #[setup_task]
                async fn b(&self, host: &Host) -> Result<()> {}
            ),
            parse_quote!(
                #[setup_task]
                async fn c(&self, host: &Host) -> Result<()> {}
            ),
            parse_quote!(
                #[setup_task(before = [a, b])]
                async fn d(&self, host: &Host) -> Result<()> {}
            ),
        ]);
        assert_eq!((order.join(" "), found), ("c d a b".to_owned(), 0));
    }

    #[test]
    fn a_cycle_is_one_finding_and_all_tasks_are_still_there() {
        let (order, found) = tasks(vec![
            parse_quote!(
                #[setup_task(after = b)]
                async fn a(&self, host: &Host) -> Result<()> {}
            ),
            parse_quote!(
                #[setup_task(after = c)]
                async fn b(&self, host: &Host) -> Result<()> {}
            ),
            parse_quote!(
                #[setup_task(after = a)]
                async fn c(&self, host: &Host) -> Result<()> {}
            ),
        ]);
        assert_eq!((order.len(), found), (3, 1));
    }
}
