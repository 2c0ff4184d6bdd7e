//! The decision: one officer recommends, another one decides; a machine never does either (lifecycle 21–24, 30).

use docket_kernel::Refusal;
use docket_kernel::deadline::office_date;
use docket_proto::case_status::events::v1 as pb;
use jiff::Timestamp;
use uuid::Uuid;

use super::ending::{answered_by_itself, ending};
use super::fee::honoured;
use super::hold::not_held;
use super::link::{bases_approved, conditions_removed, principal_approved};
use super::own_motion::party_told;
use super::referral::{Status, may_be_denied, may_be_referred, referred_unheard, status_allows_denial};
use super::search::addressee_sought;
use super::{Decision, Others, in_review, no_open_request, pending};
use crate::domain::{
    Biometrics, Case, Event, Interview, Request, RequestState, TEST_PARTS, is_asylum, needs,
};

/// What the second officer says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Approves.
    Approve,
    /// Denies.
    Deny {
        /// Codes of the grounds; `abandoned` among them for an abandonment.
        ground_codes: Vec<String>,
        /// Findings and reasons; sealed by the log.
        reasons: String,
        /// The status of who asks for asylum, as the officer states it.
        status: Option<Status>,
        /// What is known of facts that the party did not know; needed where it is not for abandonment.
        new_facts: Option<NewFacts>,
    },
    /// Refers an application for asylum to the immigration court.
    Refer {
        /// Codes of the grounds.
        ground_codes: Vec<String>,
        /// Findings and reasons; sealed by the log.
        reasons: String,
        /// The status, where the officer states it.
        status: Option<Status>,
    },
    /// Returns it to who recommended.
    Return,
}

/// Facts that a denial rests on and that the party did not know, as the officer states it (8 CFR 103.2(b)(16)(i)).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NewFacts {
    /// There are none: it knew them all, or gave them itself.
    Absent,
    /// A notice of intent named them.
    Told,
}

impl NewFacts {
    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Absent => "none",
            Self::Told => "told",
        }
    }
}

/// Recommends to approve or to deny. What an approval needs is needed for its recommendation already.
///
/// # Errors
/// `REVIEW_NOT_STARTED`, `DECISION_PENDING`, `REQUEST_OPEN`, `CASE_HELD`, and for an approval `BIOMETRICS_MISSING`,
/// `INTERVIEW_MISSING`, `CHECKS_MISSING`, `TESTS_MISSING`, `TEST_FAILED`, `FEE_OWED`; `INTERVIEW_MISSING` for a denial of asylum
/// too, but for one that was abandoned, and `REFERRED_NOT_DENIED` where the file shows no lawful status; `PARTY_NOT_TOLD` for a
/// denial after a motion of the office for the party.
pub fn recommend(case: &Case, officer: Uuid, approve: bool, grounds: &str) -> Decision {
    in_review(case)?;
    no_open_request(case)?;
    not_held(case)?;
    if approve {
        approvable(case)?;
    } else {
        party_told(case)?;
        may_be_denied(case)?;
        if may_be_abandoned(case).is_err() {
            heard(case)?;
        }
    }
    Ok(vec![recommended(officer, if approve { "approve" } else { "deny" }, grounds)])
}

/// Recommends to refer an application for asylum to the immigration court.
///
/// # Errors
/// `REVIEW_NOT_STARTED`, `DECISION_PENDING`, `REQUEST_OPEN`, `CASE_HELD`, `NOT_ASYLUM`, `PARTY_NOT_TOLD`; `INTERVIEW_MISSING` before the rule of 2026-07-28, but for
/// one that was abandoned.
pub fn recommend_referral(case: &Case, officer: Uuid, grounds: &str, now: Timestamp) -> Decision {
    in_review(case)?;
    no_open_request(case)?;
    not_held(case)?;
    party_told(case)?;
    may_be_referred(case, None)?;
    heard_before_referral(case, now)?;
    Ok(vec![recommended(officer, "refer", grounds)])
}

fn recommended(officer: Uuid, recommendation: &str, grounds: &str) -> Event {
    let (recommendation, grounds) = (recommendation.to_owned(), grounds.to_owned());
    pb::DecisionRecommended { officer: officer.to_string(), recommendation, grounds }.into()
}

/// Decides as the second officer. `others` holds the cases that this one rests on, as they stand at that moment; an
/// approval that needs them may be recommended before theirs, since both may be decided on the same day.
///
/// # Errors
/// `NOT_RECOMMENDED`, `SAME_OFFICER`, `CASE_HELD`, `NOT_AS_RECOMMENDED`, `GROUNDS_MISSING`, `NOT_ABANDONED`, `ADDRESSEE_NOT_SOUGHT`, `INTERVIEW_MISSING`,
/// those of an approval, `BASIS_NOT_APPROVED`, `PRINCIPAL_NOT_APPROVED`, `PRINCIPAL_NOT_KNOWN`, and what [`pending`] says; of asylum `STATUS_MISSING`, `REFERRED_NOT_DENIED`,
/// `DENIED_NOT_REFERRED`, and in other cases `NOT_ASYLUM`; of a denial on the merits `NEW_FACTS_NOT_STATED`, `NEW_FACTS_NOT_TOLD`.
pub fn decide_case(
    case: &Case,
    officer: Uuid,
    verdict: &Verdict,
    others: &Others,
    now: Timestamp,
) -> Decision {
    pending(case)?;
    let recommended = case.recommendation.ok_or_else(|| {
        Refusal::state("NOT_RECOMMENDED", "No officer recommended a decision.")
            .way_out("The assigned officer recommends one first.")
    })?;
    if recommended.officer == officer {
        return Err(Refusal::not_yours("SAME_OFFICER", "Who recommended a decision does not decide.")
            .way_out("Another officer of the office decides."));
    }
    if *verdict != Verdict::Return {
        not_held(case)?;
    }
    let reviewed = |concurs| Event::from(pb::DecisionReviewed { officer: officer.to_string(), concurs });
    match verdict {
        Verdict::Return => Ok(vec![reviewed(false)]),
        Verdict::Approve => {
            as_recommended(recommended.approve)?;
            no_open_request(case)?;
            approvable(case)?;
            bases_approved(case, others)?;
            principal_approved(case, others)?;
            conditions_removed(case, others)?;
            let effective_date = office_date(now).to_string();
            let approved = pb::CaseApproved { officer: officer.to_string(), effective_date };
            let mut events = vec![reviewed(true), approved.into()];
            events.extend(answered_by_itself(case, "approved"));
            Ok(events)
        }
        Verdict::Deny { ground_codes, reasons, status, new_facts } => {
            as_recommended(!recommended.approve && !recommended.refer)?;
            status_allows_denial(case, *status)?;
            let abandoned = grounds(case, ground_codes, reasons)?;
            let new_facts = if abandoned { None } else { Some(told_of(case, *new_facts)?) };
            let denied = pb::CaseDenied {
                officer: officer.to_string(),
                ground_codes: ground_codes.clone(),
                abandoned,
                reasons: reasons.clone(),
                applicant_status: status.map(Status::as_str).unwrap_or_default().to_owned(),
                new_facts: new_facts.map(NewFacts::as_str).unwrap_or_default().to_owned(),
            };
            let mut events = vec![reviewed(true), denied.into()];
            events.extend(ending(case, "denied"));
            Ok(events)
        }
        Verdict::Refer { ground_codes, reasons, status } => {
            as_recommended(recommended.refer)?;
            may_be_referred(case, *status)?;
            reasoned(
                (ground_codes.as_slice(), reasons.as_str()),
                "GROUNDS_MISSING",
                "A referral names its grounds and says the findings and reasons (8 CFR 208.19).",
            )?;
            heard_before_referral(case, now)?;
            let officer = officer.to_string();
            let (ground_codes, reasons) = (ground_codes.clone(), reasons.clone());
            let referred = pb::CaseReferred { officer, ground_codes, reasons };
            let mut events = vec![reviewed(true), referred.into()];
            events.extend(ending(case, "referred"));
            Ok(events)
        }
    }
}

fn as_recommended(same: bool) -> Result<(), Refusal> {
    if same {
        return Ok(());
    }
    Err(Refusal::state("NOT_AS_RECOMMENDED", "The decision is not the recommended one.")
        .way_out("Return the case to the officer who recommended."))
}

/// A decision names its grounds and says why; `words` say where that stands.
pub(super) fn reasoned(
    (codes, reasons): (&[String], &str),
    reason: &'static str,
    words: &'static str,
) -> Result<(), Refusal> {
    if codes.is_empty() || codes.iter().any(String::is_empty) || reasons.trim().is_empty() {
        return Err(Refusal::invalid("ground_codes", reason, words));
    }
    Ok(())
}

/// Whether the grounds say abandonment; that needs something asked for that never came (8 CFR 103.2(b)(13)).
fn grounds(case: &Case, codes: &[String], reasons: &str) -> Result<bool, Refusal> {
    reasoned(
        (codes, reasons),
        "GROUNDS_MISSING",
        "A denial names its grounds and says the findings and reasons (8 CFR 103.3(a)(1)(i)).",
    )?;
    let abandoned = codes.iter().any(|code| code == "abandoned");
    if abandoned {
        may_be_abandoned(case)?;
        addressee_sought(case)?;
    } else {
        heard(case)?;
    }
    Ok(abandoned)
}

/// What the party did not know, it was told and could answer before it is denied for it (8 CFR 103.2(b)(16)(i)).
fn told_of(case: &Case, new_facts: Option<NewFacts>) -> Result<NewFacts, Refusal> {
    let new_facts = new_facts.ok_or_else(|| {
        Refusal::invalid(
            "new_facts",
            "NEW_FACTS_NOT_STATED",
            "Say whether the denial rests on facts that the party did not know of (8 CFR 103.2(b)(16)(i)).",
        )
        .way_out("Say none where it knew them all, or told after a notice of intent to deny that named them.")
    })?;
    let mut requests = case.request.iter().chain(&case.earlier_requests);
    if new_facts == NewFacts::Told && !requests.any(Request::has_told) {
        return Err(Refusal::state(
            "NEW_FACTS_NOT_TOLD",
            "No notice of intent told the party of these facts, or its time to answer runs still.",
        )
        .way_out(
            "Send a notice of intent to deny that names them, and decide after the answer or its day.",
        ));
    }
    Ok(new_facts)
}

/// A request expired that must be answered, or an appointment was missed; who does not come to the examination for naturalization is not denied for it.
fn may_be_abandoned(case: &Case) -> Result<(), Refusal> {
    let expired = |request: &Request| {
        request.state == RequestState::Expired && !request.timely && request.kind.is_needed()
    };
    if case.request.as_ref().is_some_and(expired) || case.biometrics == Biometrics::Missed {
        return Ok(());
    }
    if case.interview != Interview::Missed {
        return Err(Refusal::state(
            "NOT_ABANDONED",
            "A case is abandoned only when a request expired or an appointment was missed (8 CFR 103.2(b)(13)).",
        )
        .way_out("Name the grounds on the merits."));
    }
    if needs(&case.family).oath {
        return Err(Refusal::state(
            "NOT_ABANDONED",
            "A naturalization case is not denied because nobody came to the examination (8 CFR 335.6).",
        )
        .way_out("Set the interview again, or name the grounds on the merits."));
    }
    Ok(())
}

/// What an approval implies (lifecycle 24).
fn approvable(case: &Case) -> Result<(), Refusal> {
    honoured(case)?;
    if !case.biometrics.are_done() {
        return Err(Refusal::state("BIOMETRICS_MISSING", "The biometrics were not taken.")
            .way_out("Take the biometrics first."));
    }
    if !case.checks_answered() {
        return Err(Refusal::state("CHECKS_MISSING", "A background check is not answered.")
            .way_out("Record the answer of each check."));
    }
    interviewed(case)?;
    if needs(&case.family).test {
        tests_passed(case)?;
    }
    Ok(())
}

/// Who is heard before a denial was heard.
fn heard(case: &Case) -> Result<(), Refusal> {
    if is_asylum(&case.family) { interviewed(case) } else { Ok(()) }
}

/// Who asked for asylum is heard before a referral too, unless it was abandoned or a rule lets it come unheard.
fn heard_before_referral(case: &Case, now: Timestamp) -> Result<(), Refusal> {
    if referred_unheard(now) || may_be_abandoned(case).is_ok() { Ok(()) } else { interviewed(case) }
}

fn interviewed(case: &Case) -> Result<(), Refusal> {
    if case.interview.is_done() {
        return Ok(());
    }
    Err(Refusal::state("INTERVIEW_MISSING", "The interview was not held.")
        .way_out("Hold the interview first."))
}

/// Every part of the test was passed (8 CFR 312.1, 312.2).
fn tests_passed(case: &Case) -> Result<(), Refusal> {
    for part in TEST_PARTS {
        match case.tests.get(part) {
            Some(attempts) if attempts.passed => {}
            Some(_) => {
                return Err(Refusal::state("TEST_FAILED", "A part of the test was not passed.")
                    .way_out("Examine once more where an attempt is left.")
                    .fact("part", part));
            }
            None => {
                return Err(Refusal::state("TESTS_MISSING", "A part of the test was not taken.")
                    .way_out("Record every part with the interview.")
                    .fact("part", part));
            }
        }
    }
    Ok(())
}
