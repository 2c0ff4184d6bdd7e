//! One line of the timeline for each event: a text id with facts, and whether only the office sees it.

use std::collections::BTreeMap;

use docket_kernel::EventEnum;
use docket_proto::types::v1 as pb;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::hold::BACKGROUND_CHECK;
use super::office::office;
use super::state::{id, instant};
use super::{Case, Deadline, Event, card_of};

/// A fact that a text names; written out in the reader's language only when it is read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fact {
    /// As it is.
    Text(String),
    /// A code with a text of its own, for example `part-reading`.
    Code(String),
    /// A civil date, ISO 8601.
    Date(String),
    /// An instant in a zone.
    At {
        /// Microseconds since the epoch.
        at_us: i64,
        /// IANA zone.
        zone: String,
    },
}

impl Fact {
    /// An instant in a zone.
    pub fn at(at: Timestamp, zone: &str) -> Self {
        Self::At { at_us: at.as_microsecond(), zone: zone.to_owned() }
    }
}

/// A line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// Text id.
    pub text: String,
    /// Facts by the name of their placeholder.
    pub facts: BTreeMap<String, Fact>,
    /// Whether only the office sees it.
    pub office_only: bool,
}

/// Text id of the line of a kind: `case.test_taken.v1` → `timeline-test-taken`.
pub fn text_id(kind: &str) -> String {
    let name = kind.split('.').nth(1).unwrap_or(kind);
    format!("timeline-{}", name.replace('_', "-"))
}

/// Variants of a line beside the one of its kind.
pub const VARIANTS: [&str; 52] = [
    "timeline-filing-rejected-free",
    "timeline-filing-rejected-kept",
    "timeline-filing-rejected-partly",
    "timeline-biometrics-taken-early",
    "timeline-interview-completed-early",
    "timeline-interview-completed-until",
    "timeline-interview-completed-early-until",
    "timeline-opened-hearing",
    "timeline-oath-taken-early",
    "timeline-response-recorded-late",
    "timeline-response-recorded-checking",
    "timeline-response-recorded-late-checking",
    "timeline-response-file-scanned-refused",
    "timeline-unsolicited-evidence-recorded-late",
    "timeline-test-taken-failed",
    "timeline-biometrics-rescheduled-office",
    "timeline-interview-rescheduled-office",
    "timeline-interview-missed-until",
    "timeline-biometrics-cancelled-not-needed",
    "timeline-interview-cancelled-not-needed",
    "timeline-absence-excused-interview",
    "timeline-absence-excused-oath",
    "timeline-request-cancelled-intent",
    "timeline-reopened-on-own-motion-favorable",
    "timeline-administratively-closed-died",
    "timeline-denied-abandoned",
    "timeline-acceptance-voided-signature",
    "timeline-linked-petition",
    "timeline-linked-ancillary",
    "timeline-linked-adjustment",
    "timeline-linked-apart",
    "timeline-linked-petition-apart",
    "timeline-linked-ancillary-apart",
    "timeline-linked-adjustment-apart",
    "timeline-unlinked-carries",
    "timeline-linked-derivative-apart",
    "timeline-linked-principal",
    "timeline-linked-derivative",
    "timeline-basis-verified-principal",
    "timeline-challenge-ended-denied",
    "timeline-challenge-ended-otherwise",
    "timeline-expedite-decided-denied",
    "timeline-addressee-not-reached-representative",
    "timeline-addressee-sought-representative",
    "timeline-addressee-search-ended-representative",
    "timeline-addressee-search-ended-case",
    "timeline-card-ordered-representative",
    "timeline-card-mailed-representative",
    "timeline-card-remailed-representative",
    "timeline-hold-lifted-ended",
    "timeline-correction-asked-birth-date",
    "timeline-correction-refused-birth-date",
];

/// Notice kinds, test parts and what else lines name by code.
pub const CODES: [&str; 93] = [
    "part-reading",
    "part-writing",
    "part-speaking",
    "part-civics",
    "notice-receipt",
    "notice-rejection",
    "notice-biometrics-appointment",
    "notice-interview-appointment",
    "notice-appointment-moved",
    "notice-appointment-cancelled",
    "notice-appointment-missed",
    "notice-rfe",
    "notice-continuation",
    "notice-noid",
    "notice-noir",
    "notice-noir-withdrawn",
    "notice-revocation",
    "notice-revocation-by-law",
    "notice-noit",
    "notice-noit-withdrawn",
    "notice-termination",
    "notice-own-motion",
    "notice-biometrics-reused",
    "notice-admin-close",
    "notice-exam-result",
    "notice-approval",
    "notice-denial",
    "notice-referral",
    "notice-withdrawal-ack",
    "notice-reopened",
    "notice-payment-returned",
    "notice-refund-failed",
    "notice-address-changed",
    "notice-representation-ended",
    "notice-acceptance-voided",
    "notice-case-closed-moot",
    "notice-card-mailed",
    "notice-card-returned",
    "notice-expedite-decision",
    "notice-inquiry-answer",
    "notice-oath",
    "notice-citizenship-certificate-ready",
    "notice-transfer",
    "notice-other",
    "transfer-jurisdiction",
    "transfer-workload",
    "basis-denied",
    "basis-revoked",
    "basis-closed",
    "basis-withdrawn",
    "basis-rejected",
    "basis-voided",
    "challenge-motion",
    "challenge-appeal",
    "challenge-hearing",
    "document-permanent-resident-card",
    "document-employment-authorization-document",
    "document-travel-document",
    "document-other",
    "criterion-severe-financial-loss",
    "criterion-emergency-or-urgent-humanitarian",
    "criterion-nonprofit-us-interest",
    "criterion-government-interest",
    "criterion-uscis-error",
    "criterion-other",
    "inquiry-outside-normal-time",
    "inquiry-notice-not-received",
    "inquiry-card-not-delivered",
    "inquiry-typographic-error",
    "inquiry-appointment-accommodation",
    "inquiry-reopening",
    "inquiry-other",
    "goes-to-client",
    "goes-to-representative",
    "aside-nothing-asked",
    "aside-answered-elsewhere",
    "aside-asked-twice",
    "aside-other-case",
    "hold-background-check",
    "hold-visa-unavailable",
    "hold-litigation",
    "hold-other-office-file",
    "hold-abeyance",
    "hold-other",
    "revoked-petitioner-withdrew",
    "revoked-petitioner-died",
    "revoked-beneficiary-died",
    "revoked-marriage-ended",
    "revoked-beneficiary-married",
    "revoked-petitioner-lost-residence",
    "revoked-certification-invalidated",
    "revoked-business-ended",
    "revoked-other",
];

/// The line of an event; `case` is the state after it.
pub fn line(case: &Case, event: &Event) -> Line {
    let mut line =
        Line { text: text_id(event.kind()), facts: BTreeMap::new(), office_only: is_office_only(event) };
    if let Some(variant) = variant(event) {
        line.text.push('-');
        line.text.push_str(variant);
    }
    for (name, fact) in facts(case, event) {
        line.facts.insert(name.to_owned(), fact);
    }
    line
}

/// Checks, assignments and recommendations are the office's own (lifecycle 62; roles §3 rows 17, 19), and so is a hold for a check, and
/// that a hold ended with its case. What became of a petition is its petitioner's: who applied on it hears from the officer; and what was
/// filed apart on a petition is no matter of its petitioner.
#[expect(clippy::wildcard_enum_match_arm, reason = "the others are told by what they are")]
pub fn is_office_only(event: &Event) -> bool {
    let untold = match event {
        Event::CaseHeld(event) => event.reason == BACKGROUND_CHECK,
        Event::HoldLifted(event) => event.reason == BACKGROUND_CHECK || event.cause != "lifted",
        // Who petitioned, or applied first, is not told what somebody else filed apart.
        Event::CaseLinked(event) => {
            event.apart && event.link_kind != "ancillary" && event.direction == "carries"
        }
        Event::CaseUnlinked(event) => event.direction == "carries",
        _ => false,
    };
    untold
        || matches!(
            event,
            Event::BackgroundCheckStarted(_)
                | Event::BackgroundCheckReturned(_)
                | Event::CaseAssigned(_)
                | Event::CaseUnassigned(_)
                | Event::DecisionRecommended(_)
                | Event::DecisionReviewed(_)
                | Event::BasisLost(_)
                | Event::BasisRegained(_)
        )
}

#[expect(clippy::wildcard_enum_match_arm, reason = "most events have one line")]
fn variant(event: &Event) -> Option<&'static str> {
    match event {
        Event::FilingRejected(event) => match (event.refund, event.kept.is_some()) {
            (true, false) => None,
            (true, true) => Some("partly"),
            (false, true) => Some("kept"),
            (false, false) => Some("free"),
        },
        Event::BiometricsTaken(event) => event.early_by_agreement.then_some("early"),
        Event::InterviewCompleted(event) => match (event.early_by_agreement, &event.decision_deadline) {
            (false, None) => None,
            (true, None) => Some("early"),
            (false, Some(_)) => Some("until"),
            (true, Some(_)) => Some("early-until"),
        },
        Event::CaseOpened(event) => event.hearing_deadline.as_ref().map(|_| "hearing"),
        Event::OathTaken(event) => event.early_by_agreement.then_some("early"),
        Event::ResponseRecorded(event) => match (event.timely, event.being_checked.is_empty()) {
            (true, true) => None,
            (true, false) => Some("checking"),
            (false, true) => Some("late"),
            (false, false) => Some("late-checking"),
        },
        Event::ResponseFileScanned(event) => (event.verdict != "clean").then_some("refused"),
        Event::UnsolicitedEvidenceRecorded(event) => event.late.then_some("late"),
        Event::TestTaken(event) => (!event.passed).then_some("failed"),
        Event::BiometricsRescheduled(event) => (event.moved_by == "office").then_some("office"),
        Event::InterviewRescheduled(event) => (event.moved_by == "office").then_some("office"),
        Event::InterviewMissed(event) => event.deadline.as_ref().map(|_| "until"),
        Event::BiometricsCancelled(event) => not_needed(&event.cause),
        Event::InterviewCancelled(event) => not_needed(&event.cause),
        Event::AbsenceExcused(event) => match event.appointment_kind.as_str() {
            "interview" => Some("interview"),
            "oath" => Some("oath"),
            _ => None,
        },
        Event::RequestCancelled(event) => (event.cause == "intent_withdrawn").then_some("intent"),
        Event::CaseAdministrativelyClosed(event) => event.reopen_until_date.is_empty().then_some("died"),
        Event::HoldLifted(event) => (event.cause != "lifted").then_some("ended"),
        Event::CorrectionAsked(event) => of_birth_date(&event.corrected_field),
        Event::CorrectionRefused(event) => of_birth_date(&event.corrected_field),
        Event::CaseReopenedOnOwnMotion(event) => event.favorable.then_some("favorable"),
        Event::CaseDenied(event) => event.abandoned.then_some("abandoned"),
        Event::AcceptanceVoided(event) => (event.cause == "signature").then_some("signature"),
        Event::ExpediteDecided(event) => (!event.granted).then_some("denied"),
        Event::AddresseeNotReached(event) => representative(&event.addressee),
        Event::AddresseeSought(event) => representative(&event.addressee),
        Event::CardOrdered(event) => representative(&event.goes_to),
        Event::CardMailed(event) => representative(&event.goes_to),
        Event::CardRemailed(event) => representative(&event.goes_to),
        Event::AddresseeSearchEnded(event) => match event.cause.as_str() {
            "answered" | "opened" | "mailed" => representative(&event.addressee),
            _ => Some("case"),
        },
        Event::ChallengeEnded(event) => match event.cause.as_str() {
            "granted" => None,
            "denied" => Some("denied"),
            _ => Some("otherwise"),
        },
        Event::CaseLinked(event) => match (event.link_kind.as_str(), event.direction.as_str()) {
            ("basis", "rests_on") => event.apart.then_some("apart"),
            ("basis", _) => Some(if event.apart { "petition-apart" } else { "petition" }),
            ("principal", "rests_on") => Some("principal"),
            ("principal", _) => Some(if event.apart { "derivative-apart" } else { "derivative" }),
            (_, "rests_on") => Some(if event.apart { "ancillary-apart" } else { "ancillary" }),
            _ => Some(if event.apart { "adjustment-apart" } else { "adjustment" }),
        },
        Event::CaseUnlinked(event) => (event.direction == "carries").then_some("carries"),
        Event::BasisVerified(event) => event.of_principal.then_some("principal"),
        _ => None,
    }
}

/// The variant of a line about a birth date instead of a name.
fn of_birth_date(field: &str) -> Option<&'static str> {
    (field == "birth_date").then_some("birth-date")
}

/// The variant of a line of an appointment that fell away because nobody needs it.
fn not_needed(cause: &str) -> Option<&'static str> {
    (cause == "not_needed").then_some("not-needed")
}

/// The variant of a line that tells of who acts for the party instead of the party, or of their address.
fn representative(addressee: &str) -> Option<&'static str> {
    (addressee == "representative").then_some("representative")
}

#[expect(clippy::too_many_lines, reason = "a table: each event, and the facts that its line names")]
#[expect(clippy::wildcard_enum_match_arm, reason = "the other lines are looked at below")]
fn facts(case: &Case, event: &Event) -> Vec<(&'static str, Fact)> {
    match event {
        Event::CaseOpened(event) => {
            let at = Fact::at(instant(event.submitted_at_us), &event.zone);
            let mut facts = due(event.hearing_deadline.as_ref());
            facts.extend([("form", Fact::Text(event.form.clone())), ("received", at)]);
            facts
        }
        Event::FilingAccepted(event) => vec![
            ("receipt", Fact::Text(event.receipt_number.clone())),
            ("date", Fact::Date(case.receipt_date.clone())),
        ],
        Event::CaseTransferred(event) => {
            vec![("office", office_named(&event.to_office)), ("why", code("transfer", &event.reason))]
        }
        Event::BiometricsScheduled(event) => slot(event.appointment.as_ref()),
        Event::InterviewScheduled(event) => slot(event.appointment.as_ref()),
        Event::OathScheduled(event) => slot(event.appointment.as_ref()),
        Event::BiometricsCancelled(event) => slot(event.appointment.as_ref()),
        Event::InterviewCancelled(event) => slot(event.appointment.as_ref()),
        Event::BiometricsRescheduled(event) => slot(event.to.as_ref()),
        Event::InterviewRescheduled(event) => slot(event.to.as_ref()),
        Event::InterviewMissed(event) => due(event.deadline.as_ref()),
        Event::OathMissed(event) => due(event.deadline.as_ref()),
        Event::AbsenceDeadlinePassed(_) => until(case.absence.as_ref().map(|absence| &absence.deadline)),
        Event::TestTaken(event) => vec![("part", Fact::Code(format!("part-{}", event.part)))],
        Event::EvidenceRequested(event) => request(event.items.len(), event.deadline.as_ref()),
        Event::ExaminationContinued(event) => request(event.items.len(), event.deadline.as_ref()),
        Event::DenialIntended(event) => due(event.deadline.as_ref()),
        Event::RevocationIntended(event) => due(event.deadline.as_ref()),
        Event::CaseReopenedOnOwnMotion(event) => due(event.deadline.as_ref()),
        Event::CaseAdministrativelyClosed(event) => by(&event.reopen_until_date),
        Event::TerminationIntended(event) => due(event.deadline.as_ref()),
        Event::StatusTerminated(event) => vec![("date", Fact::Date(event.terminated_on_date.clone()))],
        Event::ApprovalRevoked(event) => vec![("date", Fact::Date(event.revoked_on_date.clone()))],
        Event::ApprovalRevokedByLaw(event) => vec![
            ("cause", code("revoked", &event.cause)),
            ("date", Fact::Date(event.happened_on_date.clone())),
        ],
        Event::CaseHeld(event) => {
            let mut facts = by(&event.review_by_date);
            facts.push(("hold", hold_named(&event.reason)));
            facts
        }
        Event::HoldLifted(event) => vec![("hold", hold_named(&event.reason))],
        Event::CorrectionAsked(event) => due(event.deadline.as_ref()),
        Event::BiometricsReused(event) => vec![("date", Fact::Date(event.captured_on_date.clone()))],
        Event::RequestServed(event) => due(event.deadline.as_ref()),
        Event::ResponseRecorded(event) => {
            vec![("received", Fact::at(instant(event.received_at_us), &case.zone))]
        }
        Event::UnsolicitedEvidenceRecorded(event) => {
            vec![("received", Fact::at(instant(event.received_at_us), &case.zone))]
        }
        Event::DeadlinePassed(_) | Event::RequestCancelled(_) | Event::RequestReminded(_) => {
            until(case.request.as_ref().map(|request| &request.deadline))
        }
        Event::CaseApproved(event) => vec![("date", Fact::Date(event.effective_date.clone()))],
        Event::OathTaken(event) => vec![("date", Fact::Date(event.taken_on_date.clone()))],
        Event::InterviewCompleted(event) => {
            let mut facts = due(event.decision_deadline.as_ref());
            facts.push(("date", Fact::Date(event.held_on_date.clone())));
            facts
        }
        Event::NoticeRecorded(event) => vec![("notice", code("notice", &event.notice_kind))],
        Event::AddresseeNotReached(event) => {
            let mut facts = due(event.deadline.as_ref());
            facts.push(("notice", code("notice", &event.notice_kind)));
            facts
        }
        Event::FilingRejected(event) => event.kept.as_ref().map(kept).unwrap_or_default(),
        Event::RefundRecorded(event) => vec![("amount", amount(event.amount_cents))],
        Event::RefundFailureRecorded(event) => vec![("amount", amount(event.amount_cents))],
        Event::PaymentReturnRecorded(event) => {
            let mut facts = due(event.deadline.as_ref());
            facts.push(("amount", amount(event.amount_cents)));
            facts
        }
        Event::CardOrdered(_) | Event::CardProduced(_) | Event::CardDestroyed(_) => {
            vec![("document", document(case))]
        }
        Event::CardMailed(event) => mailed(case, &event.carrier, &event.tracking_number),
        Event::CardRemailed(event) => mailed(case, &event.carrier, &event.tracking_number),
        Event::CardDelivered(event) => {
            vec![("document", document(case)), ("date", Fact::Date(event.delivered_on_date.clone()))]
        }
        Event::CardReturned(event) => {
            vec![("document", document(case)), ("due", Fact::Date(event.keep_until_date.clone()))]
        }
        Event::CaseRepresentationWishesChanged(event) => wishes(event.wishes.as_ref()),
        Event::ExpediteRequested(event) => {
            let mut facts = due(event.deadline.as_ref());
            facts.push(("criterion", code("criterion", &event.criterion)));
            facts
        }
        Event::InquirySent(event) => {
            let mut facts = due(event.deadline.as_ref());
            facts.push(("inquiry", code("inquiry", &event.kind)));
            facts
        }
        Event::InquiryAnswered(event) => vec![("inquiry", code("inquiry", &event.kind))],
        Event::InquiryClosed(event) => vec![("inquiry", code("inquiry", &event.kind))],
        Event::CaseLinked(event) => vec![("form", Fact::Text(event.form.clone()))],
        Event::CaseUnlinked(event) => vec![("form", Fact::Text(event.form.clone()))],
        Event::BasisLost(event) => vec![("cause", Fact::Code(format!("basis-{}", event.cause)))],
        Event::ChallengeAccepted(event) => vec![("challenge", challenge(&event.challenge))],
        Event::ChallengeEnded(event) => vec![("challenge", challenge(&event.challenge))],
        Event::MoveRecorded(event) => vec![("count", Fact::Text(event.receipt_numbers.len().to_string()))],
        Event::FeeMadeGoodRecorded(event) => vec![("amount", amount(event.amount_cents))],
        Event::BackgroundCheckStarted(event) => vec![("system", Fact::Text(event.system.clone()))],
        Event::BackgroundCheckReturned(event) => {
            vec![
                ("system", Fact::Text(event.system.clone())),
                ("result", Fact::Text(event.result_class.clone())),
            ]
        }
        Event::DecisionRecommended(event) => vec![("what", Fact::Text(event.recommendation.clone()))],
        Event::DecisionReviewed(event) => {
            vec![("what", Fact::Text(if event.concurs { "concurs" } else { "returned" }.to_owned()))]
        }
        _ => facts_of_mail(case, event),
    }
}

/// Those of what is written to the office, and of what the party is reminded.
#[expect(clippy::wildcard_enum_match_arm, reason = "the other lines name no fact")]
fn facts_of_mail(case: &Case, event: &Event) -> Vec<(&'static str, Fact)> {
    match event {
        Event::AppointmentReminded(event) => reminded(case, &event.appointment_id),
        Event::MessageReceived(event) => due(event.deadline.as_ref()),
        Event::MessageSetAside(event) => vec![("why", code("aside", &event.cause))],
        _ => Vec::new(),
    }
}

fn kept(fee: &pb::KeptFee) -> Vec<(&'static str, Fact)> {
    vec![("amount", amount(fee.cents)), ("cite", Fact::Text(fee.cite.clone()))]
}

fn amount(cents: i64) -> Fact {
    Fact::Text(docket_kernel::Cents(cents).to_string())
}

fn code(family: &str, word: &str) -> Fact {
    Fact::Code(format!("{family}-{}", word.replace('_', "-")))
}

/// When and where the appointment is of which somebody is reminded.
fn reminded(case: &Case, appointment: &str) -> Vec<(&'static str, Fact)> {
    let bookings = [&case.biometrics_booking, &case.interview_booking, &case.oath_booking];
    let mut set = bookings.into_iter().filter_map(|booking| booking.appointment.as_ref());
    let of_it = set.find(|set| set.id == id(appointment)).map(Into::into);
    slot(of_it.as_ref())
}

/// What a case is held for.
pub(super) fn hold_named(reason: &str) -> Fact {
    code("hold", reason)
}

/// What an office is called.
pub(super) fn office_named(code: &str) -> Fact {
    Fact::Text(office(code).map_or_else(|| code.to_owned(), |office| office.name.clone()))
}

/// What a challenge is called: an appeal goes to another office, a motion to the one that decided (8 CFR 103.3, 103.5), a
/// request for a hearing to another officer (8 CFR 336.2).
pub(super) fn challenge(kind: &str) -> Fact {
    let code = match kind {
        "appeal" => "challenge-appeal",
        "hearing" => "challenge-hearing",
        _ => "challenge-motion",
    };
    Fact::Code(code.to_owned())
}

/// What the case's card is called.
pub(super) fn document(case: &Case) -> Fact {
    Fact::Code(format!("document-{}", card_of(&case.form).unwrap_or("other").replace('_', "-")))
}

fn mailed(case: &Case, carrier: &str, tracking_number: &str) -> Vec<(&'static str, Fact)> {
    vec![
        ("document", document(case)),
        ("carrier", Fact::Text(carrier.to_owned())),
        ("tracking", Fact::Text(tracking_number.to_owned())),
    ]
}

/// Where cards and the originals of notices go.
fn wishes(wishes: Option<&pb::MailingWishes>) -> Vec<(&'static str, Fact)> {
    let wishes = wishes.copied().unwrap_or_default();
    let to = |representative| code("goes-to", if representative { "representative" } else { "client" });
    vec![
        ("cards", to(wishes.documents_to_representative)),
        ("originals", to(wishes.notices_to_representative)),
    ]
}

fn slot(appointment: Option<&pb::AppointmentSlot>) -> Vec<(&'static str, Fact)> {
    appointment.map_or_else(Vec::new, |slot| {
        vec![
            ("when", Fact::at(instant(slot.starts_at_us), &slot.zone)),
            ("place", Fact::Text(slot.place.clone())),
        ]
    })
}

fn request(items: usize, deadline: Option<&pb::Deadline>) -> Vec<(&'static str, Fact)> {
    let mut facts = due(deadline);
    facts.push(("items", Fact::Text(items.to_string())));
    facts
}

/// The day until which something was to be done, without how it was counted.
fn until(deadline: Option<&Deadline>) -> Vec<(&'static str, Fact)> {
    deadline.map(|deadline| ("due", Fact::Date(deadline.due_date.clone()))).into_iter().collect()
}

fn by(date: &str) -> Vec<(&'static str, Fact)> {
    vec![("due", Fact::Date(date.to_owned()))]
}

fn due(deadline: Option<&pb::Deadline>) -> Vec<(&'static str, Fact)> {
    deadline.map_or_else(Vec::new, |deadline| {
        vec![
            ("due", Fact::Date(deadline.due_date.clone())),
            ("derivation", Fact::Text(deadline.derivation.clone())),
        ]
    })
}
