//! `#[enclave]`.

use proc_macro2::TokenStream;
use syn::ItemStruct;

use crate::container::Container;
use crate::errors::Errors;
use crate::options::{self, Known, Options};
use crate::start;

const OPTIONS: &[Known] = &[
    options::text("domain", "domain = \"algebra\""),
    options::type_("implementation", "implementation = Sandbox"),
    options::text("name", "name = \"algebra\""),
    start::OVERRIDES,
];

pub(crate) fn expand(arguments: TokenStream, item: ItemStruct, errors: &mut Errors) -> TokenStream {
    let mut options = Options::parse("enclave", OPTIONS, arguments, errors);
    Container::parse("enclave", &mut options, item, errors).expand("Enclave")
}
