//! `#[machine_model]`.

use proc_macro2::TokenStream;
use quote::quote;
use syn::ItemStruct;

use crate::capability::{self, Capability};
use crate::errors::Errors;
use crate::expand;
use crate::field::Within;
use crate::hardware;
use crate::image;
use crate::link;
use crate::literal;
use crate::login;
use crate::model::{self, Model};
use crate::node;
use crate::options::{self, Known, Options};
use crate::own_options;
use crate::shared;
use crate::start;
use crate::surroundings;
use crate::words;

const OPTIONS: &[Known] = &[
    options::text("name", "name = \"mirror\""),
    options::type_("implementation", "implementation = Sandbox"),
    options::text("runas_user", "runas_user = \"www-data\""),
    options::texts("tags", "tags = [\"web\", \"edge\"]"),
    options::flag("readonly", "readonly"),
    model::RESOLVABLE,
    shared::SHARES,
    start::OVERRIDES,
    start::COLLECTS,
    start::DYNAMIC,
];

/// All arguments: the machine's own, what it is made of, and how it is reached.
const ALL: &[Known] =
    &options::joined::<{ OPTIONS.len() + hardware::OPTIONS.len() + login::OPTIONS.len() }>(&[
        OPTIONS,
        &hardware::OPTIONS,
        &login::OPTIONS,
    ]);

pub(crate) fn expand(arguments: TokenStream, mut item: ItemStruct, errors: &mut Errors) -> TokenStream {
    let mut options = Options::parse("machine_model", ALL, arguments, errors);
    let (surroundings, asked) = surroundings::take(&mut item, errors);
    let mut model = Model::parse("machine_model", item, Some(Within::Machine), errors);
    expand::hold_parts(&mut model);
    model.starts.read(&mut options);
    model.resolvable = options.flag("resolvable");
    let name = model.name(&mut options, errors);
    let implementation = options.ty("implementation");
    let mut needs = asked;
    let login = login::read(&mut options, errors);
    model.starts.depends_on.extend(login.depends_on.iter().cloned());
    needs.extend(login.needs.iter().cloned());
    if !login.located {
        needs.push(Capability::new("Located", model.item.ident.span()));
    }
    let own_options = own_options::take(&mut model.item, &mut needs, errors);
    image::one_base(&options, &model, errors);
    let hardware = hardware::read(&mut options, &mut needs, errors);
    let runs_as = options.text("runas_user", literal::user, errors);
    let hardware_user = runs_as.as_ref().map(|(user, _)| quote!(.runas_user(#user)));
    login::check_users(&login, runs_as.as_ref(), errors);
    let mut care = TokenStream::new();
    if let Some((tags, _)) = options.texts("tags", words::tag, errors) {
        care.extend(quote!(.tags(&[#(#tags),*])));
    }
    if let Some(span) = options.flag("readonly") {
        care.extend(quote!(.readonly()));
        needs.push(Capability::new("Readonly", span));
    }
    needs.extend(link::needs(&model.fields));
    care.extend(shared::read(&mut options, &model.fields, &mut needs, errors));

    let (login, asks) = (&login.node, capability::asks(&needs));
    let mut node = quote! {
        .hardware(::carthage::model::Hardware::ANY #hardware #hardware_user #own_options)
        #surroundings #login #care #asks
    };
    if let Some(implementation) = &implementation {
        node.extend(node::implementation(implementation));
    }
    let body = expand::model(&model, "Machine", &name, node);
    let on = capability::machine(&model, implementation.as_ref(), &needs);
    let (item, links) = (expand::item(&model), link::table(&model));
    let marker = expand::marker(&model, "MachineModel");
    quote! {
        #item
        #body
        #marker
        #links
        #on
    }
}
