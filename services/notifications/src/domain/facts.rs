//! What a notice says: the facts of its event and case, ready to be printed. Pure; texts are in the templates.

use docket_forms::{Catalogue, Evidence, Language};
use docket_kernel::calendar::roll;
use docket_kernel::deadline::{Deadline, OFFICE_ZONE, Rule, ServiceChannel};
use docket_kernel::{Cents, ReceiptNumber, Refusal};
use docket_proto::case_status::events::v1 as pb;
use docket_proto::events::case::Event;
use docket_proto::types::v1::{AppointmentSlot, Deadline as PbDeadline, KeptFee};
use jiff::Timestamp;
use jiff::civil::Date;
use serde::Serialize;
use uuid::Uuid;

use super::dates::{Said, said_date, said_instant};

/// What is known of a case: whose it is and what it is called. No personal data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Matter {
    /// The case.
    pub(crate) case: Uuid,
    /// The account of the party.
    pub(crate) account: Uuid,
    /// The form.
    pub(crate) form: String,
    /// Receipt number; empty until it is accepted.
    pub(crate) receipt_number: String,
    /// Civil date of receipt, ISO 8601.
    pub(crate) receipt_date: String,
    /// The office it is with; empty until it is accepted or rejected.
    pub(crate) office: String,
    /// Zone of the party.
    pub(crate) zone: String,
    /// The assigned officer.
    pub(crate) officer: Option<Uuid>,
    /// Who acts for the party.
    pub(crate) representative: Option<Uuid>,
    /// Whether the originals of notices are theirs, as the client says on Form G-28.
    pub(crate) notices_to_representative: bool,
    /// Whether the notice with the Form I-94 is the client's all the same.
    pub(crate) i94_to_client: bool,
    /// When its form gave the party's address, microseconds since the epoch; 0 where it gives none.
    pub(crate) address_given_at_us: i64,
    /// The event that corrected the party's name; none where the account's own is printed.
    pub(crate) name_from: Option<Uuid>,
}

impl Matter {
    /// Everybody on the side of the party: all are told the same (8 CFR 103.2(b)(19), 292.5(a)).
    pub(crate) fn told(&self) -> impl Iterator<Item = Uuid> {
        std::iter::once(self.account).chain(self.representative)
    }

    /// Whose the original of a notice is where two are told; none where the party alone is. The other one has the copy, and every date
    /// holds for both.
    pub(crate) fn original(&self, kind: super::NoticeKind) -> Option<Uuid> {
        let representative = self.representative?;
        let clients = !self.notices_to_representative || (self.i94_to_client && kind.has_i94(&self.form));
        Some(if clients { self.account } else { representative })
    }

    /// Whether an account is on the side of the party.
    pub(crate) fn is_partys(&self, account: Uuid) -> bool {
        self.told().any(|told| told == account)
    }
}

/// An appointment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Appointment {
    /// Civil date at the office.
    pub(crate) date: Said,
    /// Time of day at the office.
    pub(crate) time: Said,
    /// Name and address.
    pub(crate) place: String,
}

/// A due date with its derivation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Due {
    /// The last day.
    pub(crate) date: Said,
    /// The days of the period.
    pub(crate) days: u32,
    /// The day which is not counted.
    pub(crate) day0: Said,
    /// How it came about, in one line.
    pub(crate) derivation: String,
    /// The law.
    pub(crate) cite: String,
    /// The party's zone, when it is not the office's; then the later end of the day holds.
    pub(crate) other_zone: Option<String>,
}

/// Something asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Item {
    /// Its code.
    pub(crate) code: String,
    /// What it is called.
    pub(crate) title: Said,
    /// What may be sent instead, by what it is called.
    pub(crate) substitutes: Vec<Said>,
    /// Why it is asked for: a code.
    pub(crate) reason: String,
}

/// A reason why a filing was not accepted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct RejectCode {
    /// The code.
    pub(crate) code: String,
    /// In plain words.
    pub(crate) text: String,
}

/// What of a fee does not go back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Kept {
    /// How much, in its printed form.
    pub(crate) amount: String,
    /// Legal source.
    pub(crate) cite: String,
}

/// Everything a notice says beside its fixed words; what does not apply is empty.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[expect(clippy::struct_excessive_bools, reason = "each is a sentence that a notice says or not")]
pub(crate) struct Facts {
    /// Title of the form.
    pub(crate) form_title: String,
    /// Receipt number in its printed form; empty without one.
    pub(crate) receipt_number: String,
    /// Date of receipt.
    pub(crate) received: Option<Said>,
    /// The civil date of service.
    pub(crate) served: Option<Said>,
    /// `biometrics`, `interview`, `oath`.
    pub(crate) appointment_kind: &'static str,
    /// The appointment.
    pub(crate) appointment: Option<Appointment>,
    /// The one it replaces, or that fell away.
    pub(crate) old_appointment: Option<Appointment>,
    /// `party` or `office`.
    pub(crate) moved_by: String,
    /// `withdrawn`, `denied`, `referred`, `voided`, `moot`, `closed`, `transferred` or `not_needed`: why an appointment fell away.
    pub(crate) cancelled_because: String,
    /// `jurisdiction` or `workload`: why a case went to another office.
    pub(crate) transferred_because: String,
    /// What is taken at the appointment: 1, 2 or 3.
    pub(crate) capture_code: u32,
    /// What is asked for, or to bring.
    pub(crate) items: Vec<Item>,
    /// Until when.
    pub(crate) due: Option<Due>,
    /// Why it was not accepted.
    pub(crate) reject_codes: Vec<RejectCode>,
    /// Whether the fee goes back, or what is not kept of it.
    pub(crate) refund: bool,
    /// What of it the law keeps.
    pub(crate) kept: Option<Kept>,
    /// What is owed, by the party or to whoever paid, in its printed form.
    pub(crate) amount: String,
    /// Receipt numbers of the cases that an address was changed in.
    pub(crate) receipts: Vec<String>,
    /// Whether somebody else moved than who reported it.
    pub(crate) for_another: bool,
    /// `payment` or `signature`: why an acceptance was taken back.
    pub(crate) voided_because: String,
    /// `withdrawn` or `ended`: who ended a representation.
    pub(crate) ended_by: String,
    /// The card or document, by code.
    pub(crate) document: String,
    /// Whether it goes to the representative, as the client wishes on Form G-28; else to the address of record.
    pub(crate) to_representative: bool,
    /// Its carrier.
    pub(crate) carrier: String,
    /// The carrier's number.
    pub(crate) tracking_number: String,
    /// Whether a case was reopened because its applicant asked.
    pub(crate) on_request: bool,
    /// Until when one that came back is kept; of a case that is closed, until when it may be reopened.
    pub(crate) keep_until: Option<Said>,
    /// Whether a case is expedited.
    pub(crate) granted: bool,
    /// What kind of inquiry was answered.
    pub(crate) inquiry: String,
    /// From when an approval holds; of biometrics, when they were captured; of what ended an approval by itself, when it happened.
    pub(crate) effective: Option<Said>,
    /// Codes of the grounds of a denial or a referral.
    pub(crate) grounds: Vec<String>,
    /// What ended an approval by itself, by code.
    pub(crate) revoked_by: String,
    /// Whether the office reopened the case to decide it for the party.
    pub(crate) favorable: bool,
    /// Whether it was denied for abandonment.
    pub(crate) abandoned: bool,
    /// What may be done about a denial or a revocation.
    pub(crate) challenge: Challenge,
    /// Until when a motion may be filed, where that is later than an appeal.
    pub(crate) motion_due: Option<Due>,
    /// The officer's own words to the party.
    pub(crate) words: String,
    /// Derogatory information that the party may not know of, in the officer's words.
    pub(crate) derogatory: String,
    /// Id of the request, UUID text; empty when none.
    #[serde(skip)]
    pub(crate) request_id: String,
}

/// The facts of a notice for `event`, posted at `posted_at`; with them the civil date of service.
///
/// For a request, service counts from the planned day 0, which its due date was computed from, or from a later day of
/// posting.
///
/// # Errors
/// An event without what its notice must say, or with dates and zones nobody knows.
#[expect(clippy::too_many_lines, reason = "a table: each event, and what its notice says of it")]
#[expect(clippy::wildcard_enum_match_arm, reason = "what other events say, their notices do not print")]
pub(crate) fn facts(
    matter: &Matter,
    event: &Event,
    posted_on: Date,
    catalogue: &Catalogue,
) -> Result<(Facts, Date), Refusal> {
    let mut facts = of_case(matter, catalogue);
    let mut served = posted_on;
    match event {
        Event::FilingRejected(event) => rejected(&mut facts, matter, event, catalogue),
        Event::BiometricsScheduled(event) => {
            appointed(&mut facts, "biometrics", event.appointment.as_ref())?;
            facts.capture_code = event.capture_code;
        }
        Event::InterviewScheduled(event) => {
            appointed(&mut facts, "interview", event.appointment.as_ref())?;
            facts.items = event.bring.iter().map(|code| item(matter, code, "", catalogue)).collect();
        }
        Event::OathScheduled(event) => appointed(&mut facts, "oath", event.appointment.as_ref())?,
        Event::BiometricsRescheduled(event) => {
            moved(&mut facts, "biometrics", event.from.as_ref(), event.to.as_ref(), &event.moved_by)?;
        }
        Event::InterviewRescheduled(event) => {
            moved(&mut facts, "interview", event.from.as_ref(), event.to.as_ref(), &event.moved_by)?;
        }
        Event::BiometricsCancelled(event) => {
            cancelled(&mut facts, "biometrics", event.appointment.as_ref(), &event.cause)?;
        }
        Event::InterviewCancelled(event) => {
            cancelled(&mut facts, "interview", event.appointment.as_ref(), &event.cause)?;
        }
        Event::CaseTransferred(event) => facts.transferred_because.clone_from(&event.reason),
        Event::BiometricsMissed(_) => facts.appointment_kind = "biometrics",
        Event::InterviewMissed(event) => {
            facts.appointment_kind = "interview";
            facts.due = event.deadline.as_ref().map(due_as_fixed).transpose()?;
        }
        Event::OathMissed(event) => {
            facts.appointment_kind = "oath";
            facts.due = event.deadline.as_ref().map(due_as_fixed).transpose()?;
        }
        Event::EvidenceRequested(event) => {
            facts.items = asked(matter, &event.items, catalogue);
            served = period(&mut facts, event.deadline.as_ref(), posted_on)?;
            facts.words.clone_from(&event.explanation);
            facts.request_id.clone_from(&event.request_id);
        }
        Event::ExaminationContinued(event) => {
            facts.items = asked(matter, &event.items, catalogue);
            served = period(&mut facts, event.deadline.as_ref(), posted_on)?;
            facts.words.clone_from(&event.explanation);
            facts.request_id.clone_from(&event.request_id);
        }
        Event::DenialIntended(event) => {
            facts.items = asked(matter, &event.items, catalogue);
            served = period(&mut facts, event.deadline.as_ref(), posted_on)?;
            facts.request_id.clone_from(&event.request_id);
            facts.words.clone_from(&event.grounds);
            facts.derogatory.clone_from(&event.derogatory_information);
        }
        Event::RevocationIntended(event) => {
            facts.items = asked(matter, &event.items, catalogue);
            served = period(&mut facts, event.deadline.as_ref(), posted_on)?;
            facts.request_id.clone_from(&event.request_id);
            facts.words.clone_from(&event.grounds);
            facts.derogatory.clone_from(&event.derogatory_information);
        }
        Event::CaseReopenedOnOwnMotion(event) => {
            facts.favorable = event.favorable;
            facts.words.clone_from(&event.reasons);
            if !event.favorable {
                served = period(&mut facts, event.deadline.as_ref(), posted_on)?;
                facts.request_id.clone_from(&event.request_id);
            }
        }
        Event::TerminationIntended(event) => {
            facts.items = asked(matter, &event.items, catalogue);
            served = period(&mut facts, event.deadline.as_ref(), posted_on)?;
            facts.request_id.clone_from(&event.request_id);
            facts.words.clone_from(&event.grounds);
            facts.derogatory.clone_from(&event.derogatory_information);
        }
        Event::StatusTerminated(event) => {
            // What starts a period is served on a working day.
            served = roll(posted_on);
            let codes = (event.ground_codes.as_slice(), event.reasons.as_str());
            decided_against(&mut facts, matter, codes, false, served)?;
        }
        Event::ApprovalRevoked(event) => {
            // What starts a period is served on a working day.
            served = roll(posted_on);
            revoked(&mut facts, matter, event, served)?;
        }
        Event::CaseAdministrativelyClosed(event) => {
            facts.keep_until = date(&event.reopen_until_date).map(said_date);
        }
        Event::CaseReopenedOnRequest(_) => facts.on_request = true,
        Event::BiometricsReused(event) => facts.effective = date(&event.captured_on_date).map(said_date),
        Event::PaymentReturnRecorded(event) => {
            facts.amount = Cents(event.amount_cents).to_string();
            // As the case fixed it: a later posting moves nothing.
            facts.due = Some(due_as_fixed(event.deadline.as_ref().ok_or_else(|| missing("deadline"))?)?);
        }
        Event::RefundFailureRecorded(event) => facts.amount = Cents(event.amount_cents).to_string(),
        Event::AcceptanceVoided(event) => {
            facts.refund = event.refund;
            facts.voided_because.clone_from(&event.cause);
        }
        Event::CaseRepresentationEnded(event) => {
            facts.ended_by.clone_from(&event.cause);
            facts.due = event.deadline.as_ref().map(due_as_fixed).transpose()?;
            facts.appointment = event.appointment.as_ref().map(|slot| appointment(Some(slot))).transpose()?;
        }
        Event::MoveRecorded(event) => {
            facts.receipts.clone_from(&event.receipt_numbers);
            facts.for_another = event.for_another;
        }
        Event::CardMailed(event) => {
            facts.to_representative = event.goes_to == "representative";
            mailed(&mut facts, &event.document, &event.carrier, &event.tracking_number);
        }
        Event::CardRemailed(event) => {
            facts.to_representative = event.goes_to == "representative";
            mailed(&mut facts, &event.document, &event.carrier, &event.tracking_number);
        }
        Event::CardReturned(event) => {
            facts.document.clone_from(&event.document);
            let keep_until = date(&event.keep_until_date).ok_or_else(|| missing("last day"))?;
            facts.keep_until = Some(said_date(keep_until));
        }
        Event::ExpediteDecided(event) => facts.granted = event.granted,
        Event::InquiryAnswered(event) => facts.inquiry.clone_from(&event.kind),
        Event::NameCorrected(_) | Event::BirthDateCorrected(_) => {
            "correction_made".clone_into(&mut facts.inquiry);
        }
        Event::CorrectionRefused(_) => "correction_refused".clone_into(&mut facts.inquiry),
        Event::ApprovalRevokedByLaw(event) => {
            facts.revoked_by.clone_from(&event.cause);
            facts.effective = date(&event.happened_on_date).map(said_date);
            facts.words.clone_from(&event.findings);
        }
        Event::CaseApproved(event) => facts.effective = date(&event.effective_date).map(said_date),
        Event::CaseDenied(event) => {
            // What starts a period is served on a working day.
            served = roll(posted_on);
            denied(&mut facts, matter, event, served)?;
        }
        Event::CaseReferred(event) => {
            facts.grounds = event.ground_codes.iter().map(|code| plain(code)).collect();
            facts.words.clone_from(&event.reasons);
        }
        _ => {}
    }
    facts.served = Some(said_date(served));
    Ok((facts, served))
}

fn mailed(facts: &mut Facts, document: &str, carrier: &str, tracking_number: &str) {
    document.clone_into(&mut facts.document);
    carrier.clone_into(&mut facts.carrier);
    tracking_number.clone_into(&mut facts.tracking_number);
}

fn of_case(matter: &Matter, catalogue: &Catalogue) -> Facts {
    let number = ReceiptNumber::parse(&matter.receipt_number);
    Facts {
        form_title: catalogue.form(&matter.form).map(|form| form.title.clone()).unwrap_or_default(),
        receipt_number: number.map_or_else(|_| matter.receipt_number.clone(), |number| number.to_string()),
        received: date(&matter.receipt_date).map(said_date),
        ..Facts::default()
    }
}

fn date(text: &str) -> Option<Date> {
    text.parse().ok()
}

fn missing(what: &'static str) -> Refusal {
    Refusal::state("EVENT_INCOMPLETE", format!("the event has no {what}"))
}

fn appointment(slot: Option<&AppointmentSlot>) -> Result<Appointment, Refusal> {
    let slot = slot.ok_or_else(|| missing("appointment"))?;
    let at = Timestamp::from_microsecond(slot.starts_at_us).map_err(|_beyond| missing("usable instant"))?;
    let (date, time) = said_instant(at, &slot.zone)?;
    Ok(Appointment { date, time, place: slot.place.clone() })
}

fn appointed(facts: &mut Facts, kind: &'static str, slot: Option<&AppointmentSlot>) -> Result<(), Refusal> {
    facts.appointment_kind = kind;
    facts.appointment = Some(appointment(slot)?);
    Ok(())
}

fn moved(
    facts: &mut Facts,
    kind: &'static str,
    from: Option<&AppointmentSlot>,
    to: Option<&AppointmentSlot>,
    moved_by: &str,
) -> Result<(), Refusal> {
    appointed(facts, kind, to)?;
    facts.old_appointment = Some(appointment(from)?);
    moved_by.clone_into(&mut facts.moved_by);
    Ok(())
}

fn cancelled(
    facts: &mut Facts,
    kind: &'static str,
    slot: Option<&AppointmentSlot>,
    cause: &str,
) -> Result<(), Refusal> {
    facts.appointment_kind = kind;
    facts.old_appointment = Some(appointment(slot)?);
    cause.clone_into(&mut facts.cancelled_because);
    Ok(())
}

fn item(matter: &Matter, code: &str, reason: &str, catalogue: &Catalogue) -> Item {
    let form = catalogue.form(&matter.form);
    let evidence = |language| {
        let rows = &catalogue.in_language(form?, language).evidence;
        rows.iter().find(|evidence| evidence.kind == code)
    };
    let (en, es) = (evidence(Language::En), evidence(Language::Es));
    let title = |row: Option<&Evidence>| row.map_or_else(|| plain(code), |known| known.title.clone());
    let substitutes =
        |row: Option<&Evidence>| row.map(|row| row.substitute_titles.clone()).unwrap_or_default();
    let said = |(en, es): (String, String)| Said { en, es };
    Item {
        code: code.to_owned(),
        title: said((title(en), title(es))),
        substitutes: substitutes(en).into_iter().zip(substitutes(es)).map(said).collect(),
        reason: reason.to_owned(),
    }
}

/// A code that no list explains, as words.
fn plain(code: &str) -> String {
    let mut words = code.replace(['_', '-'], " ");
    if let Some(first) = words.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    words
}

fn asked(matter: &Matter, items: &[pb::RequestedItem], catalogue: &Catalogue) -> Vec<Item> {
    items.iter().map(|asked| item(matter, &asked.code, &asked.reason, catalogue)).collect()
}

/// Fills in until when; gives the civil date of service. The planned day 0 holds, unless we post on a later day: then
/// the period is counted again from the working day of posting, which only ever gives more time.
fn period(facts: &mut Facts, planned: Option<&PbDeadline>, posted_on: Date) -> Result<Date, Refusal> {
    let planned = planned.ok_or_else(|| missing("deadline"))?;
    let day0 = date(&planned.day0_date).ok_or_else(|| missing("day 0"))?;
    let served = roll(posted_on);
    if served > day0 {
        let rule = Rule::of(&planned.rule).days(planned.base_days).supervised();
        let later = Deadline::compute(rule, served, ServiceChannel::Posted, &planned.zone)?;
        facts.due = Some(due_of(&later));
        return Ok(served);
    }
    facts.due = Some(due_as_fixed(planned)?);
    Ok(day0)
}

fn due_as_fixed(planned: &PbDeadline) -> Result<Due, Refusal> {
    let day0 = date(&planned.day0_date).ok_or_else(|| missing("day 0"))?;
    let due = date(&planned.due_date).ok_or_else(|| missing("due date"))?;
    Ok(Due {
        date: said_date(due),
        days: planned.base_days,
        day0: said_date(day0),
        derivation: planned.derivation.clone(),
        cite: planned.cite.clone(),
        other_zone: other_zone(&planned.zone),
    })
}

fn due_of(deadline: &Deadline) -> Due {
    Due {
        date: said_date(deadline.due),
        days: deadline.base_days,
        day0: said_date(deadline.day0),
        derivation: deadline.derivation(),
        cite: deadline.cite.clone(),
        other_zone: other_zone(&deadline.zone),
    }
}

fn other_zone(zone: &str) -> Option<String> {
    (zone != OFFICE_ZONE && !zone.is_empty()).then(|| zone.to_owned())
}

fn rejected(facts: &mut Facts, matter: &Matter, event: &pb::FilingRejected, catalogue: &Catalogue) {
    facts.refund = event.refund;
    let kept = |kept: &KeptFee| Kept { amount: Cents(kept.cents).to_string(), cite: kept.cite.clone() };
    facts.kept = event.kept.as_ref().map(kept);
    // A form's own codes, and that of a waiver refused inside it.
    let text = |code: &str| {
        let forms = [catalogue.form(&matter.form), catalogue.form("I-912")];
        let mut rejects = forms.into_iter().flatten().flat_map(|form| &form.rejects);
        rejects.find(|reject| reject.code == code).map(|reject| reject.text.clone())
    };
    facts.reject_codes = event
        .codes
        .iter()
        .map(|code| RejectCode { code: code.clone(), text: text(code).unwrap_or_else(|| plain(code)) })
        .collect();
}

/// What may be done about a denial.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Challenge {
    /// A motion to reopen or reconsider (8 CFR 103.5).
    #[default]
    Motion,
    /// A motion, or an appeal to the Administrative Appeals Office (8 CFR 103.3).
    Aao,
    /// A motion, or an appeal to the Board of Immigration Appeals (8 CFR 1003.1(b)(5)).
    Bia,
    /// A hearing before another officer (8 CFR 336.2).
    Hearing,
    /// A review by a court, not asked for here (8 CFR 336.9).
    Court,
    /// Nothing.
    Nothing,
}

impl Challenge {
    /// The way for a form. What was denied for abandonment can be reopened, and not appealed (8 CFR 103.2(b)(15)).
    fn of(form: &str, abandoned: bool) -> Self {
        match form {
            "I-821D" => Self::Nothing,
            _ if abandoned => Self::Motion,
            "I-140" | "I-129F" | "N-600" | "I-821" => Self::Aao,
            "I-130" => Self::Bia,
            "N-400" => Self::Hearing,
            "N-336" => Self::Court,
            _ => Self::Motion,
        }
    }

    /// The rule of its period; none where nothing is filed here.
    fn rule(self) -> Option<&'static str> {
        match self {
            Self::Motion => Some("motion.reopen"),
            Self::Aao => Some("appeal.aao"),
            Self::Bia => Some("appeal.bia"),
            Self::Hearing => Some("n336.request"),
            Self::Court | Self::Nothing => None,
        }
    }
}

fn denied(facts: &mut Facts, matter: &Matter, event: &pb::CaseDenied, served: Date) -> Result<(), Refusal> {
    facts.abandoned = event.abandoned;
    let codes = (event.ground_codes.as_slice(), event.reasons.as_str());
    decided_against(facts, matter, codes, event.abandoned, served)
}

/// Why it was decided so, and what may be done about it until when.
fn decided_against(
    facts: &mut Facts,
    matter: &Matter,
    (codes, reasons): (&[String], &str),
    abandoned: bool,
    served: Date,
) -> Result<(), Refusal> {
    facts.grounds = codes.iter().map(|code| plain(code)).collect();
    reasons.clone_into(&mut facts.words);
    facts.challenge = Challenge::of(&matter.form, abandoned);
    facts.due = facts.challenge.rule().map(|rule| by(matter, rule, served)).transpose()?;
    Ok(())
}

/// An appeal of a revocation is due earlier than one of a denial, and than a motion (8 CFR 205.2(d), 103.5(a)(1)(i)).
fn revoked(
    facts: &mut Facts,
    matter: &Matter,
    event: &pb::ApprovalRevoked,
    served: Date,
) -> Result<(), Refusal> {
    facts.grounds = event.ground_codes.iter().map(|code| plain(code)).collect();
    facts.words.clone_from(&event.reasons);
    facts.challenge = Challenge::of(&matter.form, false);
    facts.due = Some(by(matter, "appeal.revocation", served)?);
    facts.motion_due = Some(by(matter, "motion.reopen", served)?);
    Ok(())
}

/// Until when the party may do something, by a rule, from the day of service on.
fn by(matter: &Matter, rule: &str, served: Date) -> Result<Due, Refusal> {
    let zone = if matter.zone.is_empty() { OFFICE_ZONE } else { &matter.zone };
    Ok(due_of(&Deadline::compute(Rule::of(rule), served, ServiceChannel::Posted, zone)?))
}
