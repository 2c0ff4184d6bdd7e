//! The mail relay: with lettre and with Python's smtplib, in clear and over TLS, and its failures.

use std::process::Command;

use lettre::{
    AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor,
    message::{MultiPart, header::ContentType},
    transport::smtp::{
        Error,
        client::{Certificate, Tls, TlsParameters},
        response::Response,
    },
};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::TcpStream,
};

use crate::harness::Server;

/// Sends one plain text with lettre.
pub(crate) async fn send(server: &Server, to: &str, subject: &str, text: &str) -> Result<Response, Error> {
    let message = builder(to, subject).header(ContentType::TEXT_PLAIN).body(text.to_owned()).unwrap();
    let address = server.ports.smtp;
    let relay = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(address.ip().to_string());
    relay.port(address.port()).build().send(message).await
}

fn builder(to: &str, subject: &str) -> lettre::message::MessageBuilder {
    let from = "Docket <notices@docket.example>".parse().unwrap();
    Message::builder().from(from).to(to.parse().unwrap()).subject(subject).message_id(None)
}

async fn only(server: &Server, to: &str) -> Value {
    let list: Value = server
        .client
        .get(format!("http://{}/mail/messages?to={to}&wait_seconds=20", server.ports.mail_http))
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    assert_eq!(list["messages"].as_array().unwrap().len(), 1);
    server.get(&format!("/mail/messages/{}", list["messages"][0]["id"].as_str().unwrap())).await
}

#[tokio::test]
async fn a_text_arrives_decoded_with_its_dots() {
    let server = Server::start();
    let text = "Señora Müller,\r\n.a line with a dot\r\n..two dots\r\n.\r\nIhre Akte wurde geöffnet – a long line that goes on so that it must be folded somewhere.\r\n";
    send(&server, "mueller@example.test", "Ihre Akte: geöffnet", text).await.unwrap();
    let mail = only(&server, "mueller@example.test").await;
    assert_eq!(mail["subject"], "Ihre Akte: geöffnet");
    assert_eq!(mail["text"].as_str().unwrap().trim_end(), text.trim_end());
    assert_eq!(mail["mail_from"], "notices@docket.example");
    assert_eq!(mail["rcpt_to"], json!(["mueller@example.test"]));
    assert_eq!(mail["tls"], false);
    assert!(mail["message_id"].as_str().unwrap().contains('@'));
    let headers = mail["headers"].as_array().unwrap();
    let value =
        |name: &str| headers.iter().find(|header| header["name"] == name).map(|header| &header["value"]);
    assert_eq!(value("Subject"), Some(&json!("Ihre Akte: geöffnet")));
    assert_eq!(value("To"), Some(&json!("mueller@example.test")));
}

#[tokio::test]
async fn both_halves_of_an_alternative_are_shown() {
    let server = Server::start();
    let parts =
        MultiPart::alternative_plain_html("in plain ü".to_owned(), "<p>in <b>HTML</b></p>".to_owned());
    let message = builder("both@example.test", "Both").multipart(parts).unwrap();
    let address = server.ports.smtp;
    let relay =
        AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous("127.0.0.1").port(address.port()).build();
    relay.send(message).await.unwrap();
    let mail = only(&server, "both@example.test").await;
    assert_eq!((&mail["text"], &mail["html"]), (&json!("in plain ü"), &json!("<p>in <b>HTML</b></p>")));
}

#[tokio::test]
async fn starttls_is_offered_with_a_certificate_and_used() {
    let folder = tempfile::tempdir().unwrap();
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let (cert, key) = (folder.path().join("cert.pem"), folder.path().join("key.pem"));
    std::fs::write(&cert, made.cert.pem()).unwrap();
    std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    let toml = format!("[mail]\ntls_cert_file = {cert:?}\ntls_key_file = {key:?}\n");
    let server = Server::with(&toml, None);
    let ca = Certificate::from_pem(made.cert.pem().as_bytes()).unwrap();
    let tls = TlsParameters::builder("localhost".to_owned()).add_root_certificate(ca).build().unwrap();
    let relay = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous("127.0.0.1")
        .port(server.ports.smtp.port())
        .tls(Tls::Required(tls))
        .build();
    let message = builder("safe@example.test", "Safe").body("secret".to_owned()).unwrap();
    relay.send(message).await.unwrap();
    assert_eq!(only(&server, "safe@example.test").await["tls"], true);
}

#[tokio::test]
async fn recipients_decide_how_it_fails() {
    let server = Server::start();
    let to = async |recipient: &str| send(&server, recipient, "x", "x").await;
    let bounced = to("bounce@example.test").await.unwrap_err();
    assert_eq!(bounced.status().map(u16::from), Some(550));
    assert!(bounced.is_permanent());
    assert!(to("anyone@bounce.example").await.unwrap_err().is_permanent());

    let blocked = to("policy@example.test").await.unwrap_err();
    assert_eq!(blocked.status().map(u16::from), Some(550));
    to("policy@example.test").await.unwrap();
    let deferred = to("defer+7@example.test").await.unwrap_err();
    assert_eq!(deferred.status().map(u16::from), Some(451));
    to("defer+7@example.test").await.unwrap();
    only(&server, "defer%2B7@example.test").await;

    assert_eq!(to("hangup@example.test").await.unwrap_err().status(), None);
    assert_eq!(to("hangup@example.test").await.unwrap_err().status(), None);
    assert_eq!(server.get("/mail/messages?to=hangup@example.test").await["messages"], json!([]));

    assert_eq!(to("lostanswer@example.test").await.unwrap_err().status(), None);
    only(&server, "lostanswer@example.test").await;
    to("lostanswer@example.test").await.unwrap();
    assert_eq!(
        server.get("/mail/messages?to=lostanswer@example.test").await["messages"].as_array().unwrap().len(),
        2
    );
}

#[tokio::test]
async fn a_relay_out_of_order_says_421_or_nothing() {
    let server = Server::start();
    server.put_json("/sandbox/parties/mail", &json!({"mode": "error"})).await;
    send(&server, "a@example.test", "x", "x").await.unwrap_err();
    server.put_json("/sandbox/parties/mail", &json!({"mode": "works"})).await;
    send(&server, "a@example.test", "x", "x").await.unwrap();
}

#[tokio::test]
async fn too_big_is_refused_and_the_conversation_goes_on() {
    let server = Server::with("[mail]\nmax_bytes = 1000\n", None);
    let refused = send(&server, "a@example.test", "big", &"x".repeat(5000)).await.unwrap_err();
    assert_eq!(refused.status().map(u16::from), Some(552));
    let mut stream = BufReader::new(TcpStream::connect(server.ports.smtp).await.unwrap());
    let line = "y".repeat(70);
    let say = [
        "EHLO me\r\nMAIL FROM:<a@b.test> SIZE=1001\r\nMAIL FROM:<a@b.test> SIZE=9\r\nRCPT TO:<c@d.test>\r\nDATA\r\n",
        &format!("{line}\r\n").repeat(50),
        ".\r\nBOGUS\r\nRCPT TO:<c@d.test>\r\nQUIT\r\n",
    ];
    stream.write_all(say.concat().as_bytes()).await.unwrap();
    let mut codes = Vec::new();
    let mut reply = String::new();
    while stream.read_line(&mut reply).await.unwrap() > 0 {
        if reply.as_bytes()[3] == b' ' {
            codes.push(reply[..3].parse::<u16>().unwrap());
        }
        reply.clear();
    }
    assert_eq!(codes, [220, 250, 552, 250, 250, 354, 552, 502, 503, 221]);
}

#[tokio::test]
async fn the_page_shows_mail_without_running_it() {
    let server = Server::start();
    send(&server, "a@example.test", "<script>x</script>", "<b>bold</b>").await.unwrap();
    let page =
        async |path: &str| server.client.get(server.url(path)).send().await.unwrap().text().await.unwrap();
    let list = page("/mail").await;
    assert!(list.contains("&lt;script&gt;x&lt;/script&gt;") && !list.contains("<script>"));
    assert!(page("/mail/view/mail-000001").await.contains("&lt;b&gt;bold&lt;/b&gt;"));
}

#[tokio::test]
async fn python_s_own_client_agrees() {
    if Command::new("python3").arg("--version").output().is_err() {
        eprintln!("python3 is not here: not cross-checked");
        return;
    }
    let server = Server::start();
    let script = r#"
import smtplib, sys
from email.message import EmailMessage
m = EmailMessage()
m["From"], m["To"], m["Subject"] = "a@b.test", "py@example.test", "Grüße aus Python"
m.set_content("Zeile eins\n.Punkt\nÄÖÜ €\n", cte="base64")
m.add_attachment(b"%PDF-1.7", maintype="application", subtype="pdf", filename="notice.pdf")
with smtplib.SMTP("127.0.0.1", int(sys.argv[1])) as s:
    assert s.send_message(m) == {}
    try:
        s.sendmail("a@b.test", ["bounce@example.test"], "x")
    except smtplib.SMTPRecipientsRefused as e:
        assert e.recipients["bounce@example.test"][0] == 550
    s.sendmail("a@b.test", ["ok@example.test", "bounce@example.test"], "Subject: half\r\n\r\nx")
    assert s.noop()[0] == 250
"#;
    let port = server.ports.smtp.port().to_string();
    let output = Command::new("python3").args(["-c", script, &port]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let mail = only(&server, "py@example.test").await;
    assert_eq!(mail["subject"], "Grüße aus Python");
    assert_eq!(mail["text"].as_str().unwrap().replace('\r', ""), "Zeile eins\n.Punkt\nÄÖÜ €\n");
    assert_eq!(
        mail["attachments"],
        json!([{"name": "notice.pdf", "content_type": "application/pdf", "size": 8}])
    );
    assert_eq!(only(&server, "ok@example.test").await["subject"], "half");
}
