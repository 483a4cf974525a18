//! What an editor shows of a large layout: completion, also where something is half typed, and diagnostics at their lines.
//!
//! rust-analyzer is driven over its standard input and output. Where it is not installed that is said, and nothing is tested.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test ends where something is not as it must be"
)]

mod server;
mod source;

use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{Value, json};
use server::{Server, uri};

/// What the user's function does, and what is typed instead.
const LOOK: &str = "    _ = industrial;";

#[test]
fn completion_and_diagnostics_in_a_layout_of_1000_machines() {
    let program = "rust-analyzer";
    let library = source_of_the_standard_library();
    if let Some(why) = absent(program, library.as_deref()) {
        // Past the harness, which shows only what failing tests print.
        let test = "completion_and_diagnostics_in_a_layout_of_1000_machines";
        let said = format!("skipped: {test}: rust-analyzer is not installed: {why}\n");
        std::io::stderr().write_all(said.as_bytes()).unwrap();
        return;
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let dir = tempfile::tempdir().unwrap();
    let here = dir.path().canonicalize().unwrap();
    let (home, library) = (here.join("crate"), library_alone(&library.unwrap(), &here));
    let source = source::layout();
    write_crate(root, &home, &source);
    let mut editor = Editor {
        server: Server::start(program, &home, &root.join("target/tests/editor"), &library),
        uri: uri(&home.join("src/lib.rs")),
        version: 1,
    };
    let document = json!({ "uri": editor.uri, "languageId": "rust", "version": 1, "text": source });
    editor.server.notify("textDocument/didOpen", &json!({ "textDocument": document }));
    let (whole, members) = ("    industrial.|", &["token", "mirror", "enclave_0", "enclave_19"][..]);
    let (inside, parts) =
        ("    industrial.enclave_7.machine_351.|", &["eth0", "token", "name", "machine"][..]);

    // The layout's members, and through two of them what a machine is made of.
    editor.offers(&source, LOOK, whole, members);
    editor.offers(&source, LOOK, inside, parts);
    // The type of a field that is being written.
    let mirror = "    pub mirror: Mirror,";
    editor.offers(&source, mirror, "    pub spare: site::Machine10|,", &["Machine10", "Machine100"]);
    // An argument of an attribute, an attribute of a field, and a field, none of them written to its end: that is said where it
    // is, and everything else is known as before.
    let half_typed = [
        ("#[machine_model]", "#[machine_model(memory_|)]", "unknown argument `memory_`"),
        ("    #[link]", "    #[link(addr|)]", "addr"),
        (mirror, "    pub mirror: Mirror,\n    pub spare:|", ""),
    ];
    for (instead_of, typed, said) in half_typed {
        editor.complains(&source, instead_of, typed, said);
        let (half, ..) = source::typed(&source, instead_of, typed);
        editor.offers(&half, LOOK, whole, members);
        editor.offers(&half, LOOK, inside, parts);
        editor.offers(&half, LOOK, "    industrial.mirror.|", &["eth0", "token"]);
    }
    editor.server.end();
}

/// Why a program cannot be run.
fn absent(program: &str, library: Option<&Path>) -> Option<String> {
    let source = || library.is_none().then(|| "there is no source of the standard library".to_owned());
    match Command::new(program).arg("--version").stdin(Stdio::null()).output() {
        Ok(output) if output.status.success() => source(),
        // A proxy of rustup's may stand for one that is not there.
        Ok(output) => {
            Some(String::from_utf8_lossy(&output.stderr).lines().next().unwrap_or_default().to_owned())
        }
        Err(error) => Some(error.to_string()),
    }
}

/// Where it is, if the component `rust-src` is installed.
fn source_of_the_standard_library() -> Option<PathBuf> {
    let rustc = Command::new("rustc").args(["--print", "sysroot"]).stdin(Stdio::null()).output().ok()?;
    let sysroot = String::from_utf8(rustc.stdout).ok()?;
    let library = Path::new(sysroot.trim()).join("lib/rustlib/src/rust/library");
    library.join("core/src/lib.rs").exists().then_some(library)
}

/// The crates of the standard library without the manifest of their workspace: with it, the server would ask cargo for crates that
/// only they need, and without a network do without all that they refer to.
fn library_alone(library: &Path, into: &Path) -> PathBuf {
    let alone = into.join("library");
    fs::create_dir(&alone).unwrap();
    for entry in fs::read_dir(library).unwrap().map(Result::unwrap) {
        if entry.path().is_dir() {
            symlink(entry.path(), alone.join(entry.file_name())).unwrap();
        }
    }
    alone
}

/// A crate with this source, which finds the library where it is, and its dependencies as the workspace has them.
fn write_crate(root: &Path, home: &Path, source: &str) {
    let manifest = format!(
        "[package]\nname = \"large-layout\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n[dependencies]\n\
         carthage = {{ path = {root:?}, default-features = false }}\n\n[workspace]\n"
    );
    fs::create_dir_all(home.join("src")).unwrap();
    fs::write(home.join("Cargo.toml"), manifest).unwrap();
    fs::write(home.join("src/lib.rs"), source).unwrap();
    fs::write(home.join("src/site.rs"), source::machines()).unwrap();
    fs::copy(root.join("Cargo.lock"), home.join("Cargo.lock")).unwrap();
}

/// An editor with one file open.
struct Editor {
    server: Server,
    uri: String,
    version: i32,
}

impl Editor {
    fn edit(&mut self, text: &str) {
        self.version += 1;
        let params = json!({
            "textDocument": { "uri": self.uri, "version": self.version },
            "contentChanges": [{ "text": text }],
        });
        self.server.notify("textDocument/didChange", &params);
    }

    /// With `typed` in the source, all of `labels` are offered at the cursor.
    fn offers(&mut self, source: &str, instead_of: &str, typed: &str, labels: &[&str]) {
        let (text, line, column) = source::typed(source, instead_of, typed);
        self.edit(&text);
        let params = json!({
            "textDocument": { "uri": self.uri },
            "position": { "line": line, "character": column },
        });
        self.server.until(&format!("`{typed}` is completed"), |server| {
            let answer = server.request("textDocument/completion", &params);
            let items = answer.get("items").unwrap_or(&answer).as_array().cloned().unwrap_or_default();
            // Methods have their parentheses in their labels.
            let found: BTreeSet<_> =
                items.iter().filter_map(|item| item["label"].as_str()?.split('(').next()).collect();
            match labels.iter().find(|label| !found.contains(*label)) {
                None => Ok(()),
                Some(missing) => Err(format!("`{missing}` is not among {found:?}")),
            }
        });
    }

    /// With `typed` in the source there is an error in the cursor's line that says `what`, and none elsewhere.
    fn complains(&mut self, source: &str, instead_of: &str, typed: &str, what: &str) {
        let (text, line, _) = source::typed(source, instead_of, typed);
        self.edit(&text);
        let params = json!({ "textDocument": { "uri": self.uri } });
        self.server.until(&format!("`{typed}` is an error"), |server| {
            let answer = server.request("textDocument/diagnostic", &params);
            let errors: Vec<_> = answer["items"]
                .as_array()
                .into_iter()
                .flatten()
                .filter(|item| item["severity"] == 1)
                .map(|item| (item["range"]["start"]["line"].clone(), item["message"].clone()))
                .collect();
            let said = |(at, message): &(Value, Value)| {
                *at == line && message.as_str().is_some_and(|message| message.contains(what))
            };
            // What is missing at a line's end may be missed at the beginning of the next.
            let near = |(at, _): &(Value, Value)| *at == line || *at == line + 1;
            match errors.iter().any(said) && errors.iter().all(near) {
                true => Ok(()),
                false => Err(format!("line {line} is expected to have one; there are {errors:?}")),
            }
        });
    }
}
