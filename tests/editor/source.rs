//! The source of a layout of 1,000 machines, and what somebody types into it.

use std::fmt::Write as _;

const ENCLAVES: usize = 20;
const MACHINES: usize = 50;

/// The file that is open in the editor: the layout, a machine's model, and a function of the user's.
pub(crate) fn layout() -> String {
    let enclaves: String = (0..ENCLAVES)
        .map(|enclave| format!("    pub enclave_{enclave}: site::Enclave{enclave},\n"))
        .collect();
    LAYOUT.replace("    pub enclaves: Enclaves,\n", &enclaves)
}

const LAYOUT: &str = r#"mod site;

use carthage::prelude::*;

#[injectable]
pub struct Token(pub String);

/// Serves packages.
#[machine_model]
pub struct Mirror {
    #[link]
    pub eth0: Link<site::Lab>,
    #[inject]
    pub token: Arc<Token>,
}

/// Of all of it.
#[layout(implementation = Paper)]
pub struct Industrial {
    #[provide(Token(String::new()))]
    pub token: Arc<Token>,
    pub lab: site::Lab,
    pub mirror: Mirror,
    pub enclaves: Enclaves,
}

/// An implementation that makes nothing: those of the library would only have to be compiled.
#[derive(Debug)]
pub struct Paper;

impl carthage::machine::implementation::Implementation for Paper {
    const NAME: &'static str = "Paper";

    async fn open(
        _: carthage::machine::engine::Site,
    ) -> Result<Arc<dyn carthage::machine::engine::Engine>, carthage::Error> {
        Err(carthage::Error::new(carthage::ErrorKind::Unsupported, "paper"))
    }
}

carthage::capabilities!(Paper: Power, Located, Links);

pub fn look(industrial: &Industrial) {
    _ = industrial;
}
"#;

/// The file of the thousand machines.
pub(crate) fn machines() -> String {
    let mut text = String::from(
        "use carthage::prelude::*;\n\nuse crate::Token;\n\n/// The wire.\n#[network(v4 = \"10.37.0.0/24\", pool = \
         \"10.37.0.1-10.37.0.200\")]\npub struct Lab;\n",
    );
    for enclave in 0..ENCLAVES {
        let mut members = String::new();
        for machine in (0..MACHINES).map(|machine| enclave * MACHINES + machine) {
            // Nothing can fail that writes to a string.
            write!(
                text,
                "\n/// Works.\n#[machine_model]\npub struct Machine{machine} {{\n    #[link]\n    pub eth0: Link<Lab>,\n    \
                 #[inject]\n    pub token: Arc<Token>,\n}}\n"
            )
            .unwrap();
            writeln!(members, "    pub machine_{machine}: Machine{machine},").unwrap();
        }
        write!(
            text,
            "\n#[enclave(domain = \"enclave-{enclave}\")]\npub struct Enclave{enclave} {{\n    pub lab: Lab,\n{members}}}\n"
        )
        .unwrap();
    }
    text
}

/// The source with `typed` in it instead of `instead_of`, and where `|` was in it, the cursor: line and column, both from 0.
pub(crate) fn typed(source: &str, instead_of: &str, typed: &str) -> (String, usize, usize) {
    let at = source.find(instead_of).unwrap_or_else(|| panic!("`{instead_of}` is not in the source"));
    let cursor = typed.find('|').expect("a cursor");
    let text = format!("{}{}{}", &source[..at], typed.replacen('|', "", 1), &source[at + instead_of.len()..]);
    let before = &text[..at + cursor];
    let line = before.matches('\n').count();
    let column = before.len() - before.rfind('\n').map_or(0, |newline| newline + 1);
    (text, line, column)
}
