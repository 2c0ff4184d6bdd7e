//! The relay as configured: its URL, our sender, and who we are to it.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context as _;
use lettre::message::Mailbox;
use lettre::transport::smtp::authentication::Credentials;
use lettre::{AsyncSmtpTransport, AsyncTransport as _, Message, Tokio1Executor};
use serde::Deserialize;

use crate::answer::{NotTaken, meaning};

/// The longest that the relay is waited for, at each step.
const PATIENCE: Duration = Duration::from_secs(15);

/// The mail relay.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MailConfig {
    /// `smtps://host:port` (TLS), `smtp://…?tls=required` (STARTTLS), `smtp://…` (plain).
    pub smtp_url: String,
    /// The sender: `Docket <no-reply@docket.example>`.
    pub from: String,
    /// Who we are to the relay, where it asks.
    #[serde(default)]
    pub user: Option<String>,
    /// The password of that user.
    #[serde(default)]
    pub password_file: Option<PathBuf>,
}

/// Hands mail over to the configured relay. Cheap to clone.
#[derive(Clone)]
pub struct Relay {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
}

impl Relay {
    /// The relay as configured.
    ///
    /// # Errors
    /// A URL, sender or password that cannot be read; mail in clear in production, since a code opens an account.
    pub fn new(config: &MailConfig, production: bool) -> anyhow::Result<Self> {
        let clear = config.smtp_url.starts_with("smtp://") && !config.smtp_url.contains("tls=required");
        anyhow::ensure!(
            !(clear && production),
            "mail.smtp_url: mail in clear is refused in production; use smtps:// or ?tls=required"
        );
        let transport =
            AsyncSmtpTransport::<Tokio1Executor>::from_url(&config.smtp_url).context("mail.smtp_url")?;
        let transport = match credentials(config)? {
            Some(credentials) => transport.credentials(credentials),
            None => transport,
        };
        let transport = transport.timeout(Some(PATIENCE)).build();
        // There from the start, so that the first mail counts.
        taken(0);
        Ok(Self { transport, from: config.from.parse().context("mail.from")? })
    }

    /// Our sender.
    pub fn sender(&self) -> &Mailbox {
        &self.from
    }

    /// Hands a message over.
    ///
    /// # Errors
    /// [`NotTaken`]; what the relay said is told to nobody, since it may repeat the address.
    pub async fn send(&self, message: Message) -> Result<(), NotTaken> {
        self.transport.send(message).await.map_err(|error| meaning(&error))?;
        taken(1);
        Ok(())
    }
}

/// Counts what the relay took.
fn taken(mails: u64) {
    metrics::counter!("docket_mail_taken").increment(mails);
}

/// Who we are to the relay; nothing where it does not ask.
fn credentials(config: &MailConfig) -> anyhow::Result<Option<Credentials>> {
    match (&config.user, &config.password_file) {
        (Some(user), Some(file)) => {
            let password = std::fs::read_to_string(file).context("mail.password_file")?;
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

    fn config(user: Option<&str>, password_file: Option<&std::path::Path>) -> MailConfig {
        MailConfig {
            smtp_url: "smtps://relay.example".into(),
            from: "Docket <no-reply@docket.example>".into(),
            user: user.map(str::to_owned),
            password_file: password_file.map(Into::into),
        }
    }

    #[test]
    fn the_password_is_a_file_of_its_own_and_goes_with_a_user() {
        let file = std::env::temp_dir().join(format!("docket-mail-{}", std::process::id()));
        std::fs::write(&file, "invented password\n").unwrap();
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

    #[test]
    fn mail_in_clear_is_for_development() {
        let clear = MailConfig { smtp_url: "smtp://127.0.0.1:7425".into(), ..config(None, None) };
        assert!(Relay::new(&clear, false).is_ok());
        let refused = Relay::new(&clear, true).err().unwrap().to_string();
        assert!(refused.starts_with("mail.smtp_url"), "{refused}");
        let started = MailConfig { smtp_url: "smtp://relay.example?tls=required".into(), ..clear };
        assert!(Relay::new(&started, true).is_ok());
    }
}
