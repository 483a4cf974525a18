//! What does not compile, and what rustc says then.
//!
//! `tests/ui/<layer>/<mistake>.rs` is one mistake, and the file beside it what rustc says of it; `cargo xtask ui-bless` writes
//! those anew. The words are those of the pinned toolchain.

#[test]
fn mistakes() {
    let cases = trybuild::TestCases::new();
    cases.compile_fail("ui/*/*.rs");
    // Also makes the cases above be built to the end, as `cargo build` does.
    cases.pass("pass/*.rs");
}
