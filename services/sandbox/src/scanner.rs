//! A virus scanner on a TCP port, speaking clamd's protocol; the only thing it knows is EICAR.

use std::io;

use memchr::memmem;
use tokio::{
    io::{AsyncBufRead, AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
};

use crate::{
    Shared,
    parties::{Mode, Party},
};

/// What VERSION answers; a production system refuses a scanner which says this.
const VERSION: &str = "Docket sandbox scanner, knows only EICAR";

/// The standard test file, in two halves so that no scanner objects to this source.
const EICAR: (&str, &str) = (r"X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR", "-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*");

/// The longest command line read, in bytes.
const MAX_COMMAND: u64 = 1024;

pub(crate) async fn serve(listener: TcpListener, shared: Shared) {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                let shared = shared.clone();
                tokio::spawn(async move {
                    if let Err(error) = answer(stream, &shared).await {
                        tracing::debug!(%error, "a scan ended early");
                    }
                });
            }
            Err(error) => tracing::warn!(%error, "accepting for the scanner"),
        }
    }
}

/// One command, one answer, and the connection ends, as clamd does outside of sessions.
async fn answer(stream: TcpStream, shared: &Shared) -> io::Result<()> {
    let mut stream = BufReader::new(stream);
    let Some((command, end)) = read_command(&mut stream).await? else { return Ok(()) };
    let reply = match (shared.store.read(|state| state.mode(Party::Scanner)).await, command.as_str()) {
        (Mode::Hangup, _) => return Ok(()),
        (Mode::Works, "INSTREAM") => scan(&mut stream, shared.config.scanner.max_bytes).await?,
        (Mode::Error, "INSTREAM") => "INSTREAM: Can't allocate memory. ERROR".to_owned(),
        (_, "PING") => "PONG".to_owned(),
        (_, "VERSION") => VERSION.to_owned(),
        _ => "UNKNOWN COMMAND".to_owned(),
    };
    stream.write_all(reply.as_bytes()).await?;
    stream.write_all(&[end]).await?;
    stream.shutdown().await
}

/// A command with the byte that ends it and its answer: NUL after `z`, else newline.
async fn read_command(stream: &mut (impl AsyncBufRead + Unpin)) -> io::Result<Option<(String, u8)>> {
    let Some(&first) = stream.fill_buf().await?.first() else { return Ok(None) };
    let end = if first == b'z' { 0 } else { b'\n' };
    let mut line = Vec::new();
    stream.take(MAX_COMMAND).read_until(end, &mut line).await?;
    let text = String::from_utf8_lossy(&line);
    let name = text.trim_end_matches(['\0', '\n', '\r']);
    Ok(Some((name.trim_start_matches(['z', 'n']).to_owned(), end)))
}

/// Reads length-prefixed chunks up to the empty one and looks for EICAR, across chunks too.
async fn scan(stream: &mut (impl AsyncReadExt + Unpin), max_bytes: u64) -> io::Result<String> {
    let wanted = [EICAR.0, EICAR.1].concat();
    let wanted = wanted.as_bytes();
    let (mut tail, mut total, mut found) = (Vec::new(), 0u64, false);
    loop {
        let length = u64::from(stream.read_u32().await?);
        if length == 0 {
            let verdict = if found { "Eicar-Test-Signature FOUND" } else { "OK" };
            return Ok(format!("stream: {verdict}"));
        }
        total += length;
        if total > max_bytes {
            return Ok("INSTREAM size limit exceeded. ERROR".to_owned());
        }
        let before = tail.len() as u64;
        stream.take(length).read_to_end(&mut tail).await?;
        if tail.len() as u64 != before + length {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        found = found || memmem::find(&tail, wanted).is_some();
        tail.drain(..tail.len().saturating_sub(wanted.len() - 1));
    }
}
