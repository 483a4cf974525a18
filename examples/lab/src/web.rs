//! The program inside the machines: serves one file over HTTP, or fetches one.

use std::error::Error;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use axum::Router;
use axum::http::StatusCode;
use axum::routing::get;
use carthage::prelude::*;

/// This file's text: when it changes, machines get the new program.
pub const SOURCE: &str = include_str!("web.rs");

/// Where the program is inside a machine.
pub const PROGRAM: &str = "/usr/local/bin/lab";
/// Its first argument for serving; then come the port and the file.
pub const SERVE: &str = "serve-page";
/// Its first argument for fetching; then comes the URL.
pub const FETCH: &str = "fetch-page";

/// Copies this very program into a machine.
pub async fn install(host: &Host) -> Result<()> {
    host.copy_in(std::env::current_exe()?, PROGRAM).await
}

/// What the program does inside a machine; `None` if it was not started for that.
pub fn main() -> Option<ExitCode> {
    let args: Vec<String> = std::env::args().collect();
    let args: Vec<&str> = args.iter().skip(1).map(String::as_str).collect();
    let done = match args[..] {
        [SERVE, port, file] => serve(port, file.into()),
        [FETCH, url] => fetch(url),
        _ => return None,
    };
    Some(done.map_or_else(
        |error| {
            // The program's own standard error, inside a machine.
            writeln!(std::io::stderr(), "{error}").ok();
            ExitCode::FAILURE
        },
        |()| ExitCode::SUCCESS,
    ))
}

#[tokio::main(flavor = "current_thread")]
async fn serve(port: &str, file: PathBuf) -> Result<(), Box<dyn Error + Send + Sync>> {
    let page =
        move || async move { tokio::fs::read_to_string(file).await.map_err(|_| StatusCode::NOT_FOUND) };
    let listener = tokio::net::TcpListener::bind(("0.0.0.0", port.parse()?)).await?;
    axum::serve(listener, Router::new().route("/", get(page))).await?;
    Ok(())
}

fn fetch(url: &str) -> Result<(), Box<dyn Error + Send + Sync>> {
    let page = ureq::get(url).call()?.body_mut().read_to_string()?;
    std::io::stdout().write_all(page.as_bytes())?;
    Ok(())
}
