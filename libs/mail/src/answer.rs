//! What a refusal of the relay means: the address is none, or the relay takes nothing now.

use lettre::transport::smtp;

/// Why a mail was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotTaken {
    /// It never will be: there is no such mailbox.
    NoMailbox,
    /// The relay refuses us, and not the address: our sign-in, our sender, its policy. Somebody has to see to it, and
    /// the mail is worth keeping until then.
    Refused,
    /// Perhaps later: put off by the relay, out of time, or not reached.
    Later(&'static str),
}

/// Reads an error of the client.
pub(crate) fn meaning(error: &smtp::Error) -> NotTaken {
    if error.is_permanent() {
        let code = error.status().map_or(0, u16::from);
        let text = std::error::Error::source(error).map(ToString::to_string).unwrap_or_default();
        return if is_of_mailbox(code, &text) { NotTaken::NoMailbox } else { NotTaken::Refused };
    }
    NotTaken::Later(match error {
        _ if error.is_transient() => "deferred",
        _ if error.is_timeout() => "timeout",
        _ => "unreachable",
    })
}

/// Whether a 5xx reply is about the recipient's mailbox. The enhanced code decides where there is one (RFC 3463 §3.2,
/// §3.3: 1.x addresses, 2.1 a closed mailbox; 1.7 and 1.8 are the sender's), else the reply: 550, 551 and 553 (RFC 5321
/// §4.2.3), 521 and 556 for hosts and domains that take no mail (RFC 7504). All others are about us: 530 and 535 (sign-in),
/// 554 in the greeting, 552, policies (5.7.x).
fn is_of_mailbox(code: u16, text: &str) -> bool {
    let enhanced = text.split_whitespace().next().and_then(|word| word.strip_prefix("5."));
    match enhanced.and_then(|rest| rest.split_once('.')) {
        Some(("1", detail)) => !matches!(detail, "7" | "8"),
        Some(("2", detail)) => detail == "1",
        Some((subject, _)) if subject.parse::<u16>().is_ok() => false,
        _ => matches!(code, 521 | 550 | 551 | 553 | 556),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_mailbox_that_is_none_ends_a_mail() {
        for (code, text) in [
            (550, "5.1.1 no such mailbox"),
            (550, "no such user here"),
            (551, "5.1.6 moved"),
            (553, "5.1.3 not an address"),
            (550, "5.2.1 mailbox disabled"),
            (556, "5.1.10 the domain takes no mail"),
            (521, "the host takes no mail"),
            (550, ""),
        ] {
            assert!(is_of_mailbox(code, text), "{code} {text}");
        }
        for (code, text) in [
            (535, "5.7.8 credentials invalid"),
            (535, "authentication failed"),
            (530, "5.7.0 sign in first"),
            (554, "5.7.1 relay access denied"),
            (554, "no SMTP service here"),
            (550, "5.7.1 sender blocked"),
            (550, "5.7.26 unauthenticated mail is not taken"),
            (550, "5.1.8 bad sender"),
            (550, "5.4.5 daily quota exceeded"),
            (552, "5.3.4 message too big"),
            (552, "5.2.2 mailbox full"),
            (500, "what?"),
        ] {
            assert!(!is_of_mailbox(code, text), "{code} {text}");
        }
    }
}
