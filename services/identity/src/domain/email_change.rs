//! Another e-mail address for an account: asked for, confirmed, given up, and taken back by whoever reads the mail of the one before.

use std::collections::BTreeSet;

use docket_kernel::Refusal;
use docket_proto::events::account::Event;
use docket_proto::identity::events::v1 as pb;
use uuid::Uuid;

use super::account::EmailChange;
use super::{Account, Stage, code_wrong, end_sessions};

type Decision = Result<Vec<Event>, Refusal>;

/// Why the other sessions end, as `SessionEnded` says it.
const CHANGED: &str = "email_changed";
/// Why all sessions end.
const TAKEN_BACK: &str = "email_change_taken_back";

/// What the code from the mail of the address before is good for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum WayBack {
    /// It stops a change that was asked for.
    Stop,
    /// It takes one back that was made: the account has the address of that stream again.
    Restore(String),
}

/// Another address is asked for. Whether that one is somebody else's is not said here, nor before its code was given.
pub(crate) fn request_email_change(account: &Account, event: &pb::EmailChangeRequested) -> Decision {
    if account.stage != Stage::Active {
        return Err(Refusal::not_found());
    }
    if account.email_stream == event.email_stream {
        return Err(Refusal::state("EMAIL_UNCHANGED", "This is the address of your account already.")
            .way_out("Give the address that it is to have.")
            .field("email"));
    }
    Ok(vec![event.clone().into()])
}

/// The change that is asked for and can be confirmed at `now_us`.
///
/// # Errors
/// `NO_EMAIL_CHANGE_ASKED`.
pub(crate) fn asked_email_change(account: &Account, now_us: i64) -> Result<&EmailChange, Refusal> {
    account.email_change.as_ref().filter(|asked| asked.until_us > now_us).ok_or_else(|| {
        Refusal::state("NO_EMAIL_CHANGE_ASKED", "No other address was asked for, or its 24 hours are over.")
            .way_out("Ask for the address that your account is to have.")
    })
}

/// The owner gives up what they asked for.
pub(crate) fn withdraw_email_change(account: &Account, now_us: i64) -> Decision {
    Ok(vec![given_up(asked_email_change(account, now_us)?.id, "owner")])
}

/// The code from the new address was right: the change that was asked for last is made, and the sessions that it was not done in end.
pub(crate) fn change_email(
    account: &Account,
    event: &pb::EmailChanged,
    now_us: i64,
    other_sessions: &[Uuid],
) -> Decision {
    let asked = asked_email_change(account, now_us)?;
    if (asked.id.to_string(), &asked.stream) != (event.change_id.clone(), &event.email_stream) {
        return Err(code_wrong());
    }
    let ended = end_sessions(other_sessions, CHANGED);
    Ok(std::iter::once(event.clone().into()).chain(ended).collect())
}

/// An account that was begun and never finished loses its address to one that proved it.
pub(crate) fn overtake_registration(by: Uuid) -> Event {
    pb::RegistrationOvertaken { account_id: by.to_string() }.into()
}

/// What the code of a change that went to the address before is good for at `now_us`. Of a change that was made it stays good when others
/// were made after it: whoever came in by stealth cannot cut it off by one more.
///
/// # Errors
/// `CODE_WRONG`.
pub(crate) fn way_back(account: &Account, change: Uuid, now_us: i64) -> Result<WayBack, Refusal> {
    let holds = |one: &&EmailChange| one.id == change && one.until_us > now_us;
    if account.email_change.as_ref().is_some_and(|asked| holds(&asked)) {
        return Ok(WayBack::Stop);
    }
    let made = account.emails_before.iter().find(holds);
    made.map(|made| WayBack::Restore(made.stream.clone())).ok_or_else(code_wrong)
}

/// Until when an address stays kept for the account when it goes back over a change: as long as it can take one back at `now_us` that
/// was made before that. 0 where it cannot.
pub(crate) fn kept_until_us(account: &Account, change: Uuid, stream: &str, now_us: i64) -> i64 {
    let before = account.emails_before.iter().take_while(|made| made.id != change);
    let own = before.filter(|made| made.stream == stream && made.until_us > now_us);
    own.map(|made| made.until_us).max().unwrap_or_default()
}

/// The addresses that the account had after a change and has no more, by stream, each once, which are free when it goes back over that
/// at `now_us`; neither the one that it would bring back, nor the one that it has now, nor those that stay kept.
pub(crate) fn emails_since(account: &Account, change: Uuid, now_us: i64) -> BTreeSet<&str> {
    let from = account.emails_before.iter().skip_while(|made| made.id != change);
    let before = account.emails_before.iter().find(|made| made.id == change).map(|made| made.stream.as_str());
    let since = from.skip(1).map(|made| made.stream.as_str());
    let is_free = |stream: &&str| kept_until_us(account, change, stream, now_us) == 0;
    since
        .filter(|stream| Some(*stream) != before && *stream != account.email_stream)
        .filter(is_free)
        .collect()
}

/// Whoever reads the mail of the address before says no: all sessions end. `email` is that address as typed.
pub(crate) fn take_back_email_change(
    account: &Account,
    change: Uuid,
    email: &str,
    now_us: i64,
    sessions: &[Uuid],
) -> Decision {
    let first = match way_back(account, change, now_us)? {
        WayBack::Stop => given_up(change, "old_address"),
        WayBack::Restore(email_stream) => {
            let (change_id, email) = (change.to_string(), email.to_owned());
            pb::EmailRestored { change_id, email, email_stream }.into()
        }
    };
    let ended = end_sessions(sessions, TAKEN_BACK);
    Ok(std::iter::once(first).chain(ended).collect())
}

fn given_up(change: Uuid, by: &str) -> Event {
    pb::EmailChangeWithdrawn { change_id: change.to_string(), by: by.to_owned() }.into()
}
