//! Somebody whom a mail about a notice did not reach: an officer looks for them, or they turn up. The service of the notice stands all
//! the while, and no period moves (8 CFR 103.8).

use docket_kernel::{Refusal, resource};
use docket_proto::case_status::events::v1 as pb;
use jiff::Timestamp;
use uuid::Uuid;

use super::{Decision, answer_by, worded};
use crate::domain::{Biometrics, Case, Event, Interview, Search};

/// What an officer may try: the post of the account, another channel, the representative, the phone, a posted letter.
pub const WAYS: [&str; 5] = ["account", "other_channel", "representative", "phone", "letter"];
/// Docket's own limit for the search.
const RULE: &str = "addressee.find";
/// The party itself, as an addressee.
const PARTY: &str = "party";

/// A mail that told of a notice and did not arrive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Undelivered {
    /// The notice.
    pub notice: Uuid,
    /// Its kind.
    pub notice_kind: String,
    /// Account of the addressee.
    pub account: Uuid,
    /// By which way it was sent.
    pub channel: String,
    /// Why it did not arrive.
    pub reason: String,
    /// When that was known.
    pub at: Timestamp,
}

/// A mail about a notice did not arrive: its addressee is looked for, once for each notice and addressee. Nobody is whom it does not
/// concern any more, who answered what the notice asked, or whose filing was not taken: nothing follows that (lifecycle 5).
///
/// # Errors
/// Not found without a case.
pub fn record_undelivered(case: &Case, mail: &Undelivered) -> Decision {
    if !case.exists() {
        return Err(Refusal::not_found());
    }
    let Some(addressee) = addressee(case, mail.account) else { return Ok(Vec::new()) };
    let known = |search: &Search| search.notice == mail.notice && search.account == mail.account;
    if case.searches.iter().any(known) || case.is_over_unfiled() || is_answered(case, mail.notice) {
        return Ok(Vec::new());
    }
    Ok(vec![
        pb::AddresseeNotReached {
            notice_id: mail.notice.to_string(),
            notice_kind: mail.notice_kind.clone(),
            account_id: mail.account.to_string(),
            addressee: addressee.to_owned(),
            channel: mail.channel.clone(),
            reason: mail.reason.clone(),
            deadline: Some(answer_by(case, RULE, mail.at)?),
            known_at_us: mail.at.as_microsecond(),
        }
        .into(),
    ])
}

/// As whom an account is told of the case.
fn addressee(case: &Case, account: Uuid) -> Option<&'static str> {
    if case.party == Some(account) {
        return Some(PARTY);
    }
    (case.representative() == Some(account)).then_some("representative")
}

/// Whether the notice carried a request that was answered.
fn is_answered(case: &Case, notice: Uuid) -> bool {
    let mut requests = case.request.iter().chain(&case.earlier_requests);
    requests.any(|request| request.notice == Some(notice) && request.received_at.is_some())
}

/// An officer says what was tried to reach somebody, of one notice or of each that is open; with that the search ends.
///
/// # Errors
/// `SEARCH_NOT_OPEN`, `WAY_UNKNOWN`, `REPRESENTATIVE_NOT_ASKED`, `WORDS_OUT_OF_BOUNDS`; not found without a case.
pub fn record_sought(
    case: &Case,
    notice: Option<Uuid>,
    officer: Uuid,
    tried: &[String],
    note: &str,
) -> Decision {
    if !case.exists() {
        return Err(Refusal::not_found());
    }
    let meant = |search: &&Search| notice.is_none_or(|notice| search.notice == notice);
    let open: Vec<&Search> = case.open_searches().filter(meant).collect();
    if open.is_empty() {
        return Err(Refusal::state("SEARCH_NOT_OPEN", "Nobody is looked for because of that notice.")
            .way_out("Look at whom the case says a mail did not reach.")
            .field("notice"));
    }
    if tried.is_empty() || tried.iter().any(|way| !WAYS.contains(&way.as_str())) {
        let message = format!("Say what was tried, each one of {}.", WAYS.join(", "));
        return Err(Refusal::invalid("tried", "WAY_UNKNOWN", message));
    }
    let asked = tried.iter().any(|way| way == "representative");
    if !asked && case.representative().is_some() && open.iter().any(|search| search.addressee == PARTY) {
        return Err(Refusal::state(
            "REPRESENTATIVE_NOT_ASKED",
            "Somebody acts for the party and was not asked where they are.",
        )
        .way_out("Ask the representative too, and say so with the rest.")
        .field("tried"));
    }
    let note = worded("note", note)?;
    let sought = |search: &Search| pb::AddresseeSought {
        notice_id: search.notice.to_string(),
        account_id: search.account.to_string(),
        addressee: search.addressee.clone(),
        officer: officer.to_string(),
        tried: tried.to_vec(),
        note: note.clone(),
    };
    Ok(open.into_iter().map(|search| sought(search).into()).collect())
}

/// An addressee opened the notice (`opened`), or a later mail about it was taken (`mailed`). When the party opened it, whoever acts
/// for the party is looked for no more either.
///
/// # Errors
/// None; when nobody is looked for, no events.
pub fn record_reached(case: &Case, notice: Uuid, account: Uuid, how: &str) -> Decision {
    let for_all = how == "opened" && case.party == Some(account);
    Ok(searches_ended(case, how, |search| search.notice == notice && (for_all || search.account == account)))
}

/// The ends of the searches because of the notice of a request that is answered.
pub(super) fn answered(case: &Case, notice: Option<Uuid>) -> Vec<Event> {
    searches_ended(case, "answered", |search| Some(search.notice) == notice)
}

/// Whether the notice of a search asked for the answer that did not come, or called to the appointment to which nobody came.
fn called(case: &Case, search: &Search) -> bool {
    let (biometrics, interview) =
        (case.biometrics == Biometrics::Missed, case.interview == Interview::Missed);
    match search.notice_kind.as_str() {
        "biometrics_appointment" => biometrics,
        "interview_appointment" => interview,
        "appointment_moved" | "appointment_missed" => biometrics || interview,
        _ => case.request.as_ref().is_some_and(|request| request.notice == Some(search.notice)),
    }
}

/// The ends of those open searches that `which` holds for.
pub(super) fn searches_ended(case: &Case, why: &str, which: impl Fn(&Search) -> bool) -> Vec<Event> {
    let ended = |search: &Search| pb::AddresseeSearchEnded {
        notice_id: search.notice.to_string(),
        account_id: search.account.to_string(),
        addressee: search.addressee.clone(),
        cause: why.to_owned(),
    };
    case.open_searches().filter(|search| which(search)).map(|search| ended(search).into()).collect()
}

/// Who is denied because they did not answer or did not come was looked for, where the mail about the request or the appointment did
/// not reach them.
///
/// # Errors
/// `ADDRESSEE_NOT_SOUGHT`.
pub(super) fn addressee_sought(case: &Case) -> Result<(), Refusal> {
    let Some(open) = case.open_searches().find(|search| called(case, search)) else { return Ok(()) };
    Err(Refusal::state(
        "ADDRESSEE_NOT_SOUGHT",
        "The mail about the request or the appointment did not reach its addressee, and nobody looked for them yet.",
    )
    .way_out(
        "Try the account, the representative, the phone or a letter, and record what was tried; then decide.",
    )
    .fact("notice", resource::name("notices", open.notice))
    .fact("addressee", open.addressee.as_str()))
}
