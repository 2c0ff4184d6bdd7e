//! SMTP's upper half: what each command does, and the failures scripted by recipient.

use crate::{
    Shared,
    store::{Change, Record},
};

use super::{StoredMail, message};

/// The most recipients of one message.
const MAX_RECIPIENTS: usize = 100;

/// What the connection does after a command; replies end in CRLF.
pub(crate) enum Next {
    Reply(String),
    Data(String),
    StartTls(String),
    Quit(String),
}

/// One conversation.
pub(crate) struct Session {
    shared: Shared,
    offers_tls: bool,
    tls: bool,
    greeted: bool,
    mail_from: Option<String>,
    rcpt_to: Vec<String>,
}

impl Session {
    pub(crate) fn new(shared: Shared, offers_tls: bool) -> Self {
        Self { shared, offers_tls, tls: false, greeted: false, mail_from: None, rcpt_to: Vec::new() }
    }

    /// Begins anew inside TLS.
    pub(crate) fn secured(&mut self) {
        self.tls = true;
        self.greeted = false;
        self.reset();
    }

    pub(crate) fn max_bytes(&self) -> usize {
        self.shared.config.mail.max_bytes
    }

    pub(crate) async fn command(&mut self, line: &str) -> Next {
        let (verb, rest) = line.split_once(' ').unwrap_or((line, ""));
        Next::Reply(match verb.to_ascii_uppercase().as_str() {
            "EHLO" => self.greet(true),
            "HELO" => self.greet(false),
            "MAIL" => self.mail(rest),
            "RCPT" => self.rcpt(rest).await,
            "DATA" if self.rcpt_to.is_empty() => "503 5.5.1 RCPT first\r\n".to_owned(),
            "DATA" => return Next::Data("354 end with a lone dot\r\n".to_owned()),
            "STARTTLS" if self.offers_tls && !self.tls => {
                return Next::StartTls("220 2.0.0 go on\r\n".to_owned());
            }
            "RSET" => {
                self.reset();
                "250 2.0.0 OK\r\n".to_owned()
            }
            "NOOP" => "250 2.0.0 OK\r\n".to_owned(),
            "VRFY" => "252 2.1.5 send and see\r\n".to_owned(),
            "QUIT" => return Next::Quit("221 2.0.0 bye\r\n".to_owned()),
            _ => "502 5.5.1 command not known\r\n".to_owned(),
        })
    }

    fn greet(&mut self, extended: bool) -> String {
        self.greeted = true;
        self.reset();
        if !extended {
            return "250 docket-sandbox\r\n".to_owned();
        }
        let tls = if self.offers_tls && !self.tls { "250-STARTTLS\r\n" } else { "" };
        let size = self.max_bytes();
        format!(
            "250-docket-sandbox\r\n{tls}250-8BITMIME\r\n250-SMTPUTF8\r\n250-PIPELINING\r\n\
             250-ENHANCEDSTATUSCODES\r\n250 SIZE {size}\r\n"
        )
    }

    fn mail(&mut self, rest: &str) -> String {
        if !self.greeted {
            return "503 5.5.1 EHLO first\r\n".to_owned();
        }
        if self.mail_from.is_some() {
            return "503 5.5.1 one sender a message\r\n".to_owned();
        }
        let Some((sender, options)) = path(rest, "FROM:") else {
            return "501 5.5.4 MAIL FROM:<address>\r\n".to_owned();
        };
        let declared = options.split(' ').find_map(|option| {
            let (name, value) = option.split_once('=')?;
            name.eq_ignore_ascii_case("SIZE").then(|| value.parse::<usize>().ok())?
        });
        if declared.is_some_and(|size| size > self.max_bytes()) {
            return "552 5.3.4 message too big\r\n".to_owned();
        }
        self.mail_from = Some(sender);
        "250 2.1.0 OK\r\n".to_owned()
    }

    async fn rcpt(&mut self, rest: &str) -> String {
        if self.mail_from.is_none() {
            return "503 5.5.1 MAIL first\r\n".to_owned();
        }
        let found = path(rest, "TO:").map(|(recipient, _)| recipient);
        let Some(recipient) = found.filter(|recipient| recipient.contains('@')) else {
            return "501 5.1.3 RCPT TO:<address>\r\n".to_owned();
        };
        if self.rcpt_to.len() >= MAX_RECIPIENTS {
            return "452 4.5.3 too many recipients\r\n".to_owned();
        }
        if scripted(&recipient, "bounce") {
            return "550 5.1.1 no such mailbox\r\n".to_owned();
        }
        if scripted(&recipient, "policy") && self.first_time("policy", &recipient).await {
            return "550 5.7.1 the sender is blocked\r\n".to_owned();
        }
        if scripted(&recipient, "defer") && self.first_time("defer", &recipient).await {
            return "451 4.7.1 try again later\r\n".to_owned();
        }
        self.rcpt_to.push(recipient);
        "250 2.1.5 OK\r\n".to_owned()
    }

    /// Keeps the message; no reply means that the connection is cut.
    pub(crate) async fn data(&mut self, data: Option<Vec<u8>>) -> Option<String> {
        let (mail_from, rcpt_to) =
            (self.mail_from.take().unwrap_or_default(), std::mem::take(&mut self.rcpt_to));
        let Some(raw) = data else { return Some("552 5.3.4 message too big\r\n".to_owned()) };
        if rcpt_to.iter().any(|recipient| scripted(recipient, "hangup")) {
            return None;
        }
        let loses_answer = rcpt_to.iter().find(|recipient| scripted(recipient, "lostanswer")).cloned();
        let parts = message::read(&raw);
        let mut mail = StoredMail {
            id: String::new(),
            received_at: self.shared.clock.now(),
            mail_from,
            rcpt_to,
            subject: parts.subject,
            message_id: parts.message_id,
            tls: self.tls,
            raw,
        };
        let id = self.shared.store.write(|tx: &mut Change<'_>| {
            mail.id = format!("mail-{:06}", tx.state.mails.len() + 1);
            let id = mail.id.clone();
            tx.put(Record::Mail(mail));
            id
        });
        let id = id.await;
        match loses_answer {
            Some(recipient) if self.first_time("lostanswer", &recipient).await => None,
            _ => Some(format!("250 2.0.0 kept as {id}\r\n")),
        }
    }

    async fn first_time(&self, fault: &str, recipient: &str) -> bool {
        let fault = format!("{fault}:{}", recipient.to_ascii_lowercase());
        self.shared.store.write(|tx| tx.spend(fault)).await
    }

    fn reset(&mut self) {
        self.mail_from = None;
        self.rcpt_to.clear();
    }
}

/// The address in `FROM:<a@b> OPTIONS` and what follows it.
fn path(rest: &str, word: &str) -> Option<(String, String)> {
    let start = rest.get(..word.len())?;
    if !start.eq_ignore_ascii_case(word) {
        return None;
    }
    let (address, options) = rest[word.len()..].trim_start().strip_prefix('<')?.split_once('>')?;
    Some((address.to_owned(), options.trim().to_owned()))
}

/// `word@…`, `word+x@…` or `…@word.…`.
fn scripted(recipient: &str, word: &str) -> bool {
    let Some((local, domain)) = recipient.rsplit_once('@') else { return false };
    let is = |part: Option<&str>| part.is_some_and(|part| part.eq_ignore_ascii_case(word));
    is(local.split('+').next()) || is(domain.split('.').next())
}
