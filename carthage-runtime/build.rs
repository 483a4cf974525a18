//! Says what to install when the library of libvirt is missing, where the linker would only say that it finds no `-lvirt`.

use std::ffi::OsString;
use std::io::Write;
use std::process::{Command, Stdio};

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed=PKG_CONFIG_PATH");
    let wanted = std::env::var_os("CARGO_FEATURE_LIBVIRT").is_some() && std::env::var_os("DOCS_RS").is_none();
    if wanted && links() == Some(false) {
        println!(
            "cargo::error=the feature `libvirt` needs libvirt's library and header files: install the package `libvirt-dev` (Debian, \
             Ubuntu), `libvirt-devel` (Fedora, openSUSE) or `libvirt` (Arch, Homebrew), and `pkg-config`; or build without the \
             feature"
        );
    }
}

/// Whether a program can be linked with the library; `None` when there is nothing to try it with, and the linker has the last word.
fn links() -> Option<bool> {
    let compiler = std::env::var_os("CC").unwrap_or_else(|| "cc".into());
    let program = std::path::Path::new(&std::env::var_os("OUT_DIR")?).join("with-libvirt");
    let mut compiler = Command::new(compiler);
    compiler.args(["-x", "c", "-", "-o"]).arg(program).args(places()).arg("-lvirt");
    compiler.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut compiler = compiler.spawn().ok()?;
    // A compiler that does not read it fails, and says so by its status.
    let _ = compiler.stdin.take()?.write_all(b"int main(void) { return 0; }\n");
    Some(compiler.wait().ok()?.success())
}

/// Where else than in the usual places the library lies.
fn places() -> Vec<OsString> {
    let asked = Command::new("pkg-config").args(["--libs-only-L", "libvirt"]).output();
    let said = asked.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default();
    said.split_whitespace().map(OsString::from).collect()
}
