//! The mail server: one message, handed over or not.

use docket_service::Base;
use lettre::message::Mailbox;
use lettre::message::header::{ContentTransferEncoding, ContentType, HeaderName, HeaderValue};
use lettre::transport::smtp::authentication::Credentials;
use lettre::{AsyncSmtpTransport, AsyncTransport as _, Message, Tokio1Executor};
use uuid::Uuid;

use crate::config::MailConfig;
use crate::texts::Mail;

/// Why a mail was not handed over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NotSent {
    /// It never will be: the address, or the server for good (SMTP 5xx, RFC 5321 §4.2.1).
    Bounced,
    /// Perhaps later.
    Later(&'static str),
}

/// Hands mail over to the configured server. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Mailer {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
    /// The right side of our message ids.
    domain: String,
}

impl Mailer {
    /// A mailer for that server and sender.
    ///
    /// # Errors
    /// A URL, sender or password that cannot be read; mail in clear to another machine in production.
    pub(crate) fn new(config: &MailConfig, base: &Base) -> anyhow::Result<Self> {
        let clear = config.smtp_url.starts_with("smtp://") && !config.smtp_url.contains("tls=required");
        anyhow::ensure!(
            !(clear && base.config.is_production()),
            "mail.smtp_url: mail in clear is refused in production; use smtps:// or ?tls=required"
        );
        let transport = AsyncSmtpTransport::<Tokio1Executor>::from_url(&config.smtp_url)
            .map_err(|error| anyhow::anyhow!("mail.smtp_url: {error}"))?;
        let transport = match credentials(config)? {
            Some(credentials) => transport.credentials(credentials),
            None => transport,
        };
        let transport = transport.timeout(Some(std::time::Duration::from_secs(20))).build();
        let from: Mailbox = config.from.parse().map_err(|error| anyhow::anyhow!("mail.from: {error}"))?;
        let domain = from.email.domain().to_owned();
        Ok(Self { transport, from, domain })
    }

    /// The id of a delivery's message: the same for each copy, so that the far side can tell them (RFC 5322 §3.6.4).
    fn message_id(&self, delivery: Uuid) -> String {
        format!("<{delivery}@{}>", self.domain)
    }

    /// Sends a mail to one address.
    pub(crate) async fn send(&self, delivery: Uuid, to: &str, mail: Mail) -> Result<(), NotSent> {
        let to: Mailbox = to.parse().map_err(|_malformed| NotSent::Bounced)?;
        let message = self.message(delivery, to, mail).map_err(|_unbuildable| NotSent::Bounced)?;
        match self.transport.send(message).await {
            Ok(_) => Ok(()),
            Err(error) if error.is_permanent() => Err(NotSent::Bounced),
            Err(error) if error.is_transient() => Err(NotSent::Later("deferred")),
            Err(error) if error.is_timeout() => Err(NotSent::Later("timeout")),
            Err(_) => Err(NotSent::Later("unreachable")),
        }
    }

    fn message(&self, delivery: Uuid, to: Mailbox, mail: Mail) -> Result<Message, lettre::error::Error> {
        let auto = HeaderName::new_from_ascii_str("Auto-Submitted");
        let mut message = Message::builder()
            .from(self.from.clone())
            .to(to)
            .subject(mail.subject)
            .message_id(Some(self.message_id(delivery)))
            .header(ContentType::TEXT_PLAIN)
            .header(ContentTransferEncoding::QuotedPrintable)
            .body(mail.text)?;
        // Nobody's holiday reply is wanted (RFC 3834).
        message.headers_mut().insert_raw(HeaderValue::new(auto, "auto-generated".to_owned()));
        Ok(message)
    }
}

/// Who we are to the server; nothing where it does not ask.
fn credentials(config: &MailConfig) -> anyhow::Result<Option<Credentials>> {
    match (&config.user, &config.password_file) {
        (Some(user), Some(file)) => {
            let password = std::fs::read_to_string(file)
                .map_err(|error| anyhow::anyhow!("mail.password_file: {error}"))?;
            let password = password.trim_end_matches(['\r', '\n']).to_owned();
            Ok(Some(Credentials::new(user.clone(), password)))
        }
        (None, None) => Ok(None),
        _ => anyhow::bail!("mail.user and mail.password_file are set together or not at all"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_password_is_a_file_of_its_own_and_goes_with_a_user() {
        let folder = std::env::temp_dir();
        let file = folder.join(format!("docket-mail-{}", std::process::id()));
        std::fs::write(&file, "invented password\n").unwrap();
        let config = |user: Option<&str>, password_file: Option<&std::path::Path>| MailConfig {
            smtp_url: "smtps://relay.example".into(),
            from: "Docket <no-reply@docket.example>".into(),
            user: user.map(str::to_owned),
            password_file: password_file.map(Into::into),
        };
        let read = credentials(&config(Some("docket"), Some(&file))).unwrap();
        assert_eq!(read, Some(Credentials::new("docket".into(), "invented password".into())));
        assert_eq!(credentials(&config(None, None)).unwrap(), None);
        for half in [config(Some("docket"), None), config(None, Some(&file))] {
            assert!(credentials(&half).unwrap_err().to_string().contains("together or not at all"));
        }
        std::fs::remove_file(&file).unwrap();
        let gone = credentials(&config(Some("docket"), Some(&file))).unwrap_err();
        assert!(gone.to_string().starts_with("mail.password_file"));
    }
}
