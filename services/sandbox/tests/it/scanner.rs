//! The virus scanner, spoken to as clamd is.

use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::harness::Server;

const EICAR: (&str, &str) = (r"X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR", "-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*");

async fn ask(server: &Server, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(server.ports.clamd).await.unwrap();
    stream.write_all(bytes).await.unwrap();
    let mut reply = String::new();
    stream.read_to_string(&mut reply).await.unwrap();
    reply
}

async fn scan(server: &Server, command: &[u8], chunks: &[&[u8]]) -> String {
    let mut bytes = command.to_vec();
    for chunk in chunks {
        bytes.extend_from_slice(&u32::try_from(chunk.len()).unwrap().to_be_bytes());
        bytes.extend_from_slice(chunk);
    }
    bytes.extend_from_slice(&0u32.to_be_bytes());
    ask(server, &bytes).await
}

#[tokio::test]
async fn it_knows_eicar_and_says_that_it_knows_nothing_else() {
    let server = Server::start();
    assert_eq!(ask(&server, b"zPING\0").await, "PONG\0");
    assert_eq!(ask(&server, b"nPING\n").await, "PONG\n");
    assert_eq!(ask(&server, b"zVERSION\0").await, "Docket sandbox scanner, knows only EICAR\0");
    assert_eq!(ask(&server, b"zSHUTDOWN\0").await, "UNKNOWN COMMAND\0");
    assert_eq!(scan(&server, b"zINSTREAM\0", &[b"%PDF-1.7 harmless"]).await, "stream: OK\0");
    assert_eq!(scan(&server, b"nINSTREAM\n", &[]).await, "stream: OK\n");
    let found = "stream: Eicar-Test-Signature FOUND\0";
    let whole = [EICAR.0, EICAR.1].concat();
    assert_eq!(scan(&server, b"zINSTREAM\0", &[whole.as_bytes()]).await, found);
    let inside = [b"%PDF-1.7 ".as_slice(), EICAR.0.as_bytes(), EICAR.1.as_bytes(), b" %%EOF"];
    assert_eq!(scan(&server, b"zINSTREAM\0", &inside).await, found);
    let single: Vec<&[u8]> = whole.as_bytes().chunks(1).collect();
    assert_eq!(scan(&server, b"zINSTREAM\0", &single).await, found);
}

#[tokio::test]
async fn what_it_cannot_scan_is_an_error_and_never_ok() {
    let server = Server::with("[scanner]\nmax_bytes = 100\n", None);
    assert_eq!(scan(&server, b"zINSTREAM\0", &[&[0; 60], &[0; 40]]).await, "stream: OK\0");
    let mut stream = TcpStream::connect(server.ports.clamd).await.unwrap();
    stream.write_all(b"zINSTREAM\0\0\0\0\x65").await.unwrap();
    let mut reply = String::new();
    stream.read_to_string(&mut reply).await.unwrap();
    assert_eq!(reply, "INSTREAM size limit exceeded. ERROR\0");
    let mode = async |mode: &str| server.put_json("/sandbox/parties/scanner", &json!({"mode": mode})).await;
    mode("error").await;
    assert!(ask(&server, b"zINSTREAM\0").await.ends_with("ERROR\0"));
    mode("hangup").await;
    assert_eq!(ask(&server, b"zPING\0").await, "");
}
