//! SMTP's lower half: connections, lines, data, STARTTLS (RFC 5321, 3207).

use std::io;

use tokio::{
    io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufStream},
    net::{TcpListener, TcpStream},
};
use tokio_rustls::TlsAcceptor;

use crate::{
    Shared,
    parties::{Mode, Party},
};

use super::session::{Next, Session};

/// The longest command line taken, in bytes; RFC 5321 asks for 512, extensions for more.
const MAX_LINE: u64 = 4096;

pub(crate) async fn serve(listener: TcpListener, shared: Shared, tls: Option<TlsAcceptor>) {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                let (shared, tls) = (shared.clone(), tls.clone());
                tokio::spawn(async move {
                    if let Err(error) = converse(stream, shared, tls).await {
                        tracing::debug!(%error, "an SMTP connection ended early");
                    }
                });
            }
            Err(error) => tracing::warn!(%error, "accepting for SMTP"),
        }
    }
}

/// One connection from greeting to end, changing to TLS on the way when asked.
async fn converse(stream: TcpStream, shared: Shared, tls: Option<TlsAcceptor>) -> io::Result<()> {
    let mut plain = BufStream::new(stream);
    match shared.store.read(|state| state.mode(Party::Mail)).await {
        Mode::Works => {}
        Mode::Error => {
            return say(&mut plain, "421 4.3.2 docket-sandbox out of order, try again later\r\n").await;
        }
        Mode::Hangup => return Ok(()),
    }
    let mut session = Session::new(shared, tls.is_some());
    say(&mut plain, "220 docket-sandbox ESMTP, nothing is sent on\r\n").await?;
    if !talk(&mut plain, &mut session).await? {
        return Ok(());
    }
    let Some(tls) = tls else { return Ok(()) };
    // What was read ahead of the handshake is dropped: nothing said in the clear counts (RFC 3207 §4.2).
    let mut secure = BufStream::new(tls.accept(plain.into_inner()).await?);
    session.secured();
    talk(&mut secure, &mut session).await?;
    secure.shutdown().await
}

/// Takes commands until the end; true when TLS is to start.
async fn talk<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut BufStream<S>,
    session: &mut Session,
) -> io::Result<bool> {
    loop {
        let Some(line) = read_line(stream).await? else { return Ok(false) };
        match session.command(&line).await {
            Next::Reply(reply) => say(stream, &reply).await?,
            Next::Quit(reply) => {
                say(stream, &reply).await?;
                return Ok(false);
            }
            Next::StartTls(reply) => {
                say(stream, &reply).await?;
                return Ok(true);
            }
            Next::Data(reply) => {
                say(stream, &reply).await?;
                let data = read_data(stream, session.max_bytes()).await?;
                match session.data(data).await {
                    Some(reply) => say(stream, &reply).await?,
                    None => return Ok(false),
                }
            }
        }
    }
}

async fn say<S: AsyncRead + AsyncWrite + Unpin>(stream: &mut BufStream<S>, reply: &str) -> io::Result<()> {
    stream.write_all(reply.as_bytes()).await?;
    stream.flush().await
}

/// A command without its line end; none when the other side is gone.
async fn read_line<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut BufStream<S>,
) -> io::Result<Option<String>> {
    let mut line = Vec::new();
    stream.take(MAX_LINE).read_until(b'\n', &mut line).await?;
    if line.last() != Some(&b'\n') {
        return Ok(None);
    }
    Ok(Some(String::from_utf8_lossy(&line).trim_end_matches(['\r', '\n']).to_owned()))
}

/// The message up to the lone dot, dots unstuffed; none when it is longer than `max_bytes`.
///
/// Lines end in CRLF only: a bare newline neither ends a line nor the message.
async fn read_data<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut BufStream<S>,
    max_bytes: usize,
) -> io::Result<Option<Vec<u8>>> {
    let mut message = Vec::new();
    let (mut line, mut too_long) = (Vec::new(), false);
    loop {
        // Never more than a line of the largest message in memory, however it is sent.
        let room = (max_bytes + 1024) as u64;
        let read = (&mut *stream).take(room).read_until(b'\n', &mut line).await?;
        if read == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        if !line.ends_with(b"\r\n") && line.len() <= max_bytes {
            continue;
        }
        if line == b".\r\n" {
            return Ok((!too_long).then_some(message));
        }
        let unstuffed = line.strip_prefix(b".").unwrap_or(&line);
        too_long = too_long || message.len() + unstuffed.len() > max_bytes;
        if !too_long {
            message.extend_from_slice(unstuffed);
        }
        line.clear();
    }
}
