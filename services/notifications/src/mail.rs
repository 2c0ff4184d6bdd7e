//! A mail as it is written, and its way to the relay.

use docket_mail::{MailConfig, NotTaken, Relay};
use docket_service::Base;
use lettre::Message;
use lettre::message::Mailbox;
use lettre::message::header::{ContentTransferEncoding, ContentType, HeaderName, HeaderValue};
use uuid::Uuid;

use crate::texts::Mail;

/// Hands mail over to the relay. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Mailer(Relay);

impl Mailer {
    /// A mailer as configured.
    ///
    /// # Errors
    /// As [`Relay::new`].
    pub(crate) fn new(config: &MailConfig, base: &Base) -> anyhow::Result<Self> {
        Relay::new(config, base.config.is_production()).map(Self)
    }

    /// Sends a mail to one address.
    ///
    /// # Errors
    /// [`NotTaken`]; an address that is none counts as no mailbox.
    pub(crate) async fn send(&self, delivery: Uuid, to: &str, mail: Mail) -> Result<(), NotTaken> {
        let to: Mailbox = to.parse().map_err(|_malformed| NotTaken::NoMailbox)?;
        let message = self.message(delivery, to, mail).map_err(|_unbuildable| NotTaken::NoMailbox)?;
        self.0.send(message).await
    }

    /// The message. Its id is the same for each copy, so that the far side can tell them (RFC 5322 §3.6.4).
    fn message(&self, delivery: Uuid, to: Mailbox, mail: Mail) -> Result<Message, lettre::error::Error> {
        let from = self.0.sender();
        let auto = HeaderName::new_from_ascii_str("Auto-Submitted");
        let mut message = Message::builder()
            .from(from.clone())
            .to(to)
            .subject(mail.subject)
            .message_id(Some(format!("<{delivery}@{}>", from.email.domain())))
            .header(ContentType::TEXT_PLAIN)
            .header(ContentTransferEncoding::QuotedPrintable)
            .body(mail.text)?;
        // Nobody's holiday reply is wanted (RFC 3834).
        message.headers_mut().insert_raw(HeaderValue::new(auto, "auto-generated".to_owned()));
        Ok(message)
    }
}
