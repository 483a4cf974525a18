//! The small program inside the machines: serves one file to whoever connects, or fetches it.

use std::error::Error;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        ["serve", port, file] => serve(port.parse()?, file),
        ["fetch", host, port] => fetch(host, port.parse()?),
        _ => Err("expected `serve PORT FILE` or `fetch HOST PORT`".into()),
    }
}

fn serve(port: u16, file: &str) -> Result<(), Box<dyn Error>> {
    let listener = TcpListener::bind(("0.0.0.0", port))?;
    writeln!(std::io::stdout(), "serving {file} on {port}")?;
    loop {
        let (mut connection, _) = listener.accept()?;
        // Whoever connects may go away again, as a probe of the port does.
        let _ = connection.write_all(&std::fs::read(file)?);
    }
}

fn fetch(host: &str, port: u16) -> Result<(), Box<dyn Error>> {
    let mut page = Vec::new();
    TcpStream::connect((host, port))?.read_to_end(&mut page)?;
    Ok(std::io::stdout().write_all(&page)?)
}
