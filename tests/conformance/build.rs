//! Builds the small program that the suite puts into machines: without shared libraries, so that it runs in any Linux machine
//! with a processor like this one.

use std::path::Path;
use std::process::Command;

fn main() {
    let source = "page/main.rs";
    println!("cargo::rerun-if-changed={source}");
    let variable = |name| std::env::var_os(name).unwrap_or_default();
    let program = Path::new(&variable("OUT_DIR")).join("page");
    let build = |more: &[&str]| {
        Command::new(variable("RUSTC"))
            .args(["--edition", "2024", "-O", "-C", "strip=symbols", "-C", "panic=abort", "--target"])
            .arg(variable("TARGET"))
            .args(more)
            .arg("-o")
            .args([program.as_os_str(), source.as_ref()])
            .status()
    };
    if build(&["-C", "target-feature=+crt-static"]).is_ok_and(|status| status.success()) {
        return;
    }
    println!(
        "cargo::warning=without a C library to link statically, the suite's program runs in machines like this host only"
    );
    assert!(build(&[]).is_ok_and(|status| status.success()), "{source} cannot be compiled");
}
