//! Laws over random lives of a case: what is decided folds, and what lifecycle §8 forbids never is.

mod card;
mod linked;
mod mail;

use docket_kernel::EventEnum;
use docket_proto::case_status::events::v1 as pb;
use docket_proto::identity::events::v1::AddressChanged;
use docket_proto::types::v1::EvidenceRef;
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use uuid::Uuid;

use super::appointment::{Notice, Wish, arrange};
use super::decide::{self, Asked, Decision, Intent, MovedBy, Response, TestResult, Verdict};
use super::samples::{ADA, APPLICANT, BO, RECEIPT, now, opened};
use super::{
    Appointment, Biometrics, Case, Event, Interview, Oath, Outcome, RequestState, Stage, TEST_PARTS, evolve,
    office, task, timeline, title,
};

/// A command with whatever a caller may send.
#[derive(Debug, Clone)]
enum Command {
    Open,
    Accept,
    Reject,
    Assign(bool),
    Transfer(bool),
    StartReview,
    Schedule(u8),
    Move(u8, bool),
    TakeBiometrics(bool),
    Miss(bool),
    Check(bool),
    Interview(Vec<bool>, bool),
    Request(bool),
    Serve,
    Respond(bool),
    Scan(bool),
    HearOfResponse(bool),
    PassDeadline,
    AddEvidence,
    Recommend(bool, bool),
    Decide(bool, u8),
    Reverify(bool),
    TakeOath(bool),
    Certificate,
    Withdraw,
    Reopen,
    OwnMotion(bool),
    Dispense(u8),
    Hold(bool),
    Correct(u8),
    Challenge(bool),
    Waive(bool),
    ReturnPayment,
    MakeGood,
    PassFeeDeadline,
    PassAbsence,
    Void(bool),
    MoveAway(bool),
    RecordMove,
    Expedite,
    AnswerExpedite(bool),
    Inquire(prop::sample::Index),
    AnswerInquiry,
    NotReached,
    Seek,
    Reached(bool),
    Mail(mail::Act),
    Wait(u16),
}

fn command() -> impl Strategy<Value = Command> {
    use Command::*;
    prop_oneof![
        1 => Just(Open),
        3 => Just(Accept),
        1 => rarely(Reject),
        2 => any::<bool>().prop_map(Assign),
        1 => any::<bool>().prop_map(Transfer),
        3 => Just(StartReview),
        6 => (0_u8..3).prop_map(Schedule),
        2 => (0_u8..3, any::<bool>()).prop_map(|(kind, party)| Move(kind, party)),
        3 => any::<bool>().prop_map(TakeBiometrics),
        1 => any::<bool>().prop_map(Miss),
        1 => (20_000_u16..).prop_map(Wait),
        3 => any::<bool>().prop_map(Check),
        4 => (prop::collection::vec(prop::bool::weighted(0.9), 4), any::<bool>()).prop_map(|(p, e)| Interview(p, e)),
        2 => any::<bool>().prop_map(Request),
        2 => Just(Serve),
        2 => any::<bool>().prop_map(Respond),
        1 => any::<bool>().prop_map(Scan),
        1 => any::<bool>().prop_map(HearOfResponse),
        1 => Just(PassDeadline),
        2 => Just(AddEvidence),
        4 => (any::<bool>(), prop::bool::weighted(0.8)).prop_map(|(a, b)| Recommend(a, b)),
        4 => (any::<bool>(), 0_u8..3).prop_map(|(a, b)| Decide(a, b)),
        2 => any::<bool>().prop_map(Reverify),
        2 => any::<bool>().prop_map(TakeOath),
        2 => Just(Certificate),
        1 => rarely(Withdraw),
        1 => Just(Reopen),
        1 => any::<bool>().prop_flat_map(|favorable| rarely(OwnMotion(favorable))),
        1 => (0_u8..8).prop_flat_map(|act| rarely(Dispense(act))),
        1 => any::<bool>().prop_flat_map(|place| if place { rarely(Hold(true)).boxed() } else { Just(Hold(false)).boxed() }),
        2 => (0_u8..4).prop_map(Correct),
        1 => any::<bool>().prop_map(Challenge),
        1 => any::<bool>().prop_map(Waive),
        1 => rarely(ReturnPayment),
        2 => Just(MakeGood),
        1 => Just(PassFeeDeadline),
        1 => Just(PassAbsence),
        1 => any::<bool>().prop_map(MoveAway),
        1 => rarely(RecordMove),
        2 => Just(Expedite),
        1 => any::<bool>().prop_map(AnswerExpedite),
        2 => any::<prop::sample::Index>().prop_map(Inquire),
        1 => Just(AnswerInquiry),
        1 => Just(NotReached),
        1 => Just(Seek),
        1 => any::<bool>().prop_map(Reached),
        5 => mail::act().prop_map(Mail),
        1 => any::<bool>().prop_flat_map(|payment| rarely(Void(payment))),
        1 => any::<u16>().prop_map(Wait),
    ]
}

/// What ends a life comes seldom, or few lives would be long.
fn rarely(end: Command) -> impl Strategy<Value = Command> {
    prop::bool::weighted(0.1).prop_map(move |ends| if ends { end.clone() } else { Command::Wait(1) })
}

/// How long an answer that was received is on its way to the case, when something was away.
const ON_ITS_WAY: SignedDuration = SignedDuration::from_hours(24 * 20);
/// A file of every answer, not scanned when that was received.
const FILE: Uuid = Uuid::from_u128(0xF11E);

/// What may end against the party is answered first, and what is approved is reopened against it only, before the oath.
fn is_told_before_it_is_denied(case: &Case, event: &pb::CaseReopenedOnOwnMotion) {
    assert_eq!(event.favorable, event.deadline.is_none() && event.request_id.is_empty());
    let approved = case.outcome == Some(Outcome::Approved);
    assert!(!approved || (!event.favorable && case.oath != Oath::Taken));
    assert!(!matches!(case.outcome, Some(Outcome::Withdrawn | Outcome::Referred) | None));
    let after = evolve(case.clone(), &event.clone().into());
    assert_eq!(after.open_request().is_some(), !event.favorable);
    assert_eq!((after.stage, after.outcome, after.oath), (Stage::InReview, None, Oath::None));
}

/// A part is taken twice, and once more for each time that the case was reopened; never when it was passed.
fn tested_no_more_than_may_be(case: &Case, taken: &pb::TestTaken) {
    let given = case.tests.get(&taken.part).map_or(0, |before| before.given);
    assert!(taken.attempt <= 2 + given);
    assert!(case.tests.get(&taken.part).is_none_or(|before| !before.passed));
}

struct World {
    case: Case,
    now: Timestamp,
    requests: u128,
    events: Vec<Event>,
}

fn officer(first: bool) -> Uuid {
    if first { ADA } else { BO }
}

/// A scan that ends changes nothing but that the file is no longer being checked.
fn is_only_scanned(case: &Case, scanned: &pb::ResponseFileScanned) {
    let mut after = evolve(case.clone(), &scanned.clone().into());
    if let (Some(request), Some(before)) = (&mut after.request, &case.request) {
        let of_it = before.id.to_string() == scanned.request_id;
        assert!(!of_it || !request.being_checked.contains(&FILE));
        request.being_checked.clone_from(&before.being_checked);
    }
    assert_eq!(&after, case, "it changes nothing else");
}

/// Evidence that came unasked is late when the case had ended, and changes nothing but how much of it there is.
fn is_kept_aside(case: &Case, event: &pb::UnsolicitedEvidenceRecorded) {
    let ended = [Stage::Decided, Stage::Closed, Stage::Rejected, Stage::Voided];
    assert_eq!(event.late, ended.contains(&case.stage));
    let after = evolve(case.clone(), &event.clone().into());
    let aside = Case { unsolicited: case.unsolicited, new_evidence: case.new_evidence, ..after };
    assert_eq!(&aside, case, "it changes nothing else");
}

/// The notice of a request.
fn notice_of(request: u128) -> Uuid {
    Uuid::from_u128(request + 0x1_0000)
}

/// A search decides nothing and moves no period, and there is one for each notice and addressee.
fn is_only_looked_for(case: &Case, event: &Event) {
    let after = evolve(case.clone(), event);
    let mut of_each: Vec<(Uuid, Uuid)> =
        after.searches.iter().map(|search| (search.notice, search.account)).collect();
    of_each.sort_unstable();
    of_each.dedup();
    assert_eq!(of_each.len(), after.searches.len(), "looked for twice");
    let aside = Case { searches: case.searches.clone(), ..after };
    assert_eq!(&aside, case, "it changes nothing else");
}

/// What may follow a withdrawal: what was on its way, what ends with it, and what somebody writes.
fn follows_a_withdrawal(event: &Event) -> bool {
    matches!(
        event,
        Event::ResponseRecorded(_)
            | Event::ResponseFileScanned(_)
            | Event::UnsolicitedEvidenceRecorded(_)
            | Event::RequestCancelled(_)
            | Event::HoldLifted(_)
            | Event::CorrectionClosed(_)
            | Event::ExpediteClosed(_)
            | Event::InquiryClosed(_)
            | Event::AddresseeNotReached(_)
            | Event::AddresseeSought(_)
            | Event::AddresseeSearchEnded(_)
            | Event::MessageReceived(_)
            | Event::MessageAnswered(_)
            | Event::MessageSetAside(_)
            | Event::BiometricsCancelled(_)
            | Event::InterviewCancelled(_)
            | Event::PaymentReturnRecorded(_)
            | Event::FeeMadeGoodRecorded(_)
            | Event::FeeDeadlinePassed(_)
    )
}

/// Something asked for never came, and whom the mail about it did not reach was looked for; or nobody came to the biometrics.
fn may_be_abandoned(case: &Case) {
    let absent = case.biometrics == Biometrics::Missed;
    let request = case.request.as_ref();
    let expired = request.is_some_and(|request| request.state == RequestState::Expired && !request.timely);
    assert!(expired || absent, "an N-400 is examined or closed");
    let notice = request.and_then(|request| request.notice);
    let mut open = case.open_searches();
    assert!(absent || open.all(|search| Some(search.notice) != notice), "nobody was looked for");
}

/// A transfer changes who has the case, and nothing that was promised to the party.
fn is_only_transferred(case: &Case, event: &pb::CaseTransferred) {
    assert!(case.stage.is_pending() && event.from_office == case.office);
    let after = evolve(case.clone(), &event.clone().into());
    let (office, transferred) = (case.office.clone(), case.transferred);
    let aside = Case { office, transferred, officer: case.officer, ..after };
    assert_eq!(&aside, case, "it changes nothing else");
}

/// An applicant was examined, and nobody has decided since: the law says by when.
fn awaits_its_first_decision(case: &Case, events: &[Event]) -> bool {
    let decides = |event: &Event| {
        matches!(event, Event::CaseDenied(_) | Event::CaseApproved(_) | Event::CaseAdministrativelyClosed(_))
    };
    case.stage.is_pending() && !case.examined_on.is_empty() && !events.iter().any(decides)
}

/// The days to say why nobody came pass when they are over, and nobody said why.
fn passed_in_silence(case: &Case, now: Timestamp) {
    let absence = case.absence.as_ref().unwrap();
    assert!(!absence.explained && !absence.passed && case.interview == Interview::Missed);
    assert!(now >= absence.deadline.expires_at, "passed before its end");
}

/// What is owed is owed of returns, and all of it paid is all of them made good.
fn is_of_returns(case: &Case, event: &pb::FeeMadeGoodRecorded) {
    let owed = case.fee_owed.as_ref().unwrap();
    let cents: i64 = owed.returns.iter().map(|unpaid| unpaid.amount_cents).sum();
    assert_eq!(cents, owed.amount_cents);
    let whole = event.amount_cents >= owed.amount_cents;
    assert!(!whole || event.return_ids.len() == owed.returns.len());
}

impl World {
    fn book(&self, kind: &str, notice: Notice) -> Result<Appointment, docket_kernel::Refusal> {
        let kept_by = if self.case.office.is_empty() { office::INTAKE_OFFICE } else { &self.case.office };
        let office = office::site(kept_by, kind).unwrap();
        arrange(Uuid::from_u128(7), office, Wish { date: None, time: None }, notice, self.now)
    }

    fn response(&self, complete: bool, received_at: Timestamp) -> Response {
        let request_id = Uuid::from_u128(self.requests);
        let being_checked = vec![FILE.to_string()];
        Response { request_id, received_at, complete, evidence: Vec::new(), being_checked }
    }

    #[expect(clippy::too_many_lines, reason = "a table: each command, and what decides on it")]
    fn decide(&mut self, command: &Command) -> Decision {
        let (case, now) = (&self.case, self.now);
        match command {
            Command::Open => decide::open(case, &opened()),
            Command::Accept => decide::accept(case, RECEIPT, office::INTAKE_OFFICE),
            Command::Reject => decide::reject(case, &["X-SIGN".into()]),
            Command::Assign(first) => decide::assign(case, officer(*first)),
            Command::Transfer(away) => {
                decide::transfer(case, if *away { "FO-CHI" } else { office::INTAKE_OFFICE }, "workload", ADA)
            }
            Command::StartReview => decide::start_review(case),
            Command::Schedule(0) => {
                decide::schedule_biometrics(case, &self.book("biometrics", Notice::Full)?)
            }
            Command::Schedule(1) => decide::schedule_interview(case, &self.book("interview", Notice::Full)?),
            Command::Schedule(_) => decide::schedule_oath(case, &self.book("oath", Notice::Full)?, now),
            Command::Move(kind, party) => {
                let by = if *party { MovedBy::Party } else { MovedBy::Office };
                let kinds = ["biometrics", "interview", "oath"];
                let to = self.book(kinds[usize::from(*kind)], Notice::Agreed)?;
                match kind {
                    0 => decide::move_biometrics(case, &to, by, "travel", now),
                    2 => decide::move_oath(case, &to, by),
                    _ => decide::move_interview(case, &to, by, "travel", now),
                }
            }
            Command::TakeBiometrics(early) => decide::take_biometrics(case, now, *early),
            Command::Miss(true) => decide::miss_biometrics(case, now),
            Command::Miss(false) => decide::miss_interview(case, now),
            Command::Check(clear) => decide::record_background_check(
                case,
                "fbi_fingerprint",
                if *clear { "no_record" } else { "record" },
            ),
            Command::Interview(passed, early) => {
                let tests: Vec<TestResult> = TEST_PARTS
                    .iter()
                    .zip(passed)
                    .filter(|(part, _)| !case.tests.get(**part).is_some_and(|attempts| attempts.passed))
                    .map(|(part, passed)| TestResult { part: (*part).to_owned(), passed: *passed })
                    .collect();
                decide::complete_interview(case, ADA, &tests, now, *early)
            }
            Command::Request(n14) => self.request(*n14),
            Command::Serve => self.serve(),
            Command::Respond(complete) => decide::record_response(case, &self.response(*complete, now)),
            Command::Scan(clean) => {
                let verdict = if *clean { "clean" } else { "infected" };
                decide::record_scan(case, Uuid::from_u128(self.requests), FILE, verdict)
            }
            Command::HearOfResponse(complete) => {
                let mut response = self.response(*complete, now - ON_ITS_WAY);
                if let Some(earlier) = case.earlier_requests.last() {
                    response.request_id = earlier.id;
                }
                decide::record_response(case, &response)
            }
            Command::PassDeadline => decide::pass_deadline(case, Uuid::from_u128(self.requests), now),
            Command::Recommend(first, approve) => decide::recommend(case, officer(*first), *approve, ""),
            Command::Decide(first, verdict) => {
                let codes = if now.as_second() % 2 == 0 { "abandoned" } else { "moral_character" };
                let verdict = match verdict {
                    0 => Verdict::Approve,
                    1 => Verdict::Deny {
                        ground_codes: vec![codes.into()],
                        reasons: "because".into(),
                        status: None,
                        new_facts: [None, Some(decide::NewFacts::Absent), Some(decide::NewFacts::Told)]
                            [usize::try_from(now.as_second() % 5).unwrap().min(2)],
                    },
                    _ => Verdict::Return,
                };
                decide::decide_case(case, officer(*first), &verdict, &decide::Others::new(), now)
            }
            Command::Reverify(first) => decide::reverify(case, officer(*first)),
            Command::TakeOath(early) => decide::take_oath(case, now, *early),
            Command::Certificate => decide::issue_certificate(case, "12345678"),
            Command::Withdraw => decide::withdraw(case),
            Command::Waive(granted) => decide::decide_fee_waiver(case, ADA, *granted),
            Command::ReturnPayment
            | Command::MakeGood
            | Command::PassFeeDeadline
            | Command::PassAbsence
            | Command::Void(_)
            | Command::MoveAway(_)
            | Command::AddEvidence
            | Command::Challenge(_)
            | Command::RecordMove => self.decide_for_others(command),
            Command::Expedite | Command::AnswerExpedite(_) | Command::Inquire(_) | Command::AnswerInquiry => {
                self.decide_what_is_asked(command)
            }
            Command::NotReached | Command::Seek | Command::Reached(_) => self.decide_on_a_search(command),
            Command::Mail(act) => self.decide_on_mail(*act),
            Command::OwnMotion(_) | Command::Dispense(_) => self.decide_of_own_accord(command),
            Command::Hold(_) | Command::Correct(_) => self.decide_on_holds_and_corrections(command),
            Command::Reopen => {
                decide::reopen(case, Uuid::from_u128(self.events.len() as u128), &self.motion(false), BO)
            }
            Command::Wait(minutes) => {
                self.now += SignedDuration::from_mins(i64::from(*minutes));
                Ok(Vec::new())
            }
        }
    }

    /// The notice of the last request was posted today.
    fn serve(&self) -> Decision {
        let today = docket_kernel::deadline::office_date(self.now);
        let (request, notice) = (Uuid::from_u128(self.requests), notice_of(self.requests));
        decide::serve_request(&self.case, request, notice, today)
    }

    /// A continued examination; or else evidence is asked for, or a denial intended, one after the other.
    fn request(&mut self, n14: bool) -> Decision {
        self.requests += 1;
        let request_id = Uuid::from_u128(self.requests);
        let items = vec![pb::RequestedItem { code: "x".into(), reason: "missing".into() }];
        if !n14 && self.requests.is_multiple_of(2) {
            let intent = Intent {
                request_id,
                grounds: "because".into(),
                derogatory_information: String::new(),
                items: Vec::new(),
                days: None,
                supervised: false,
            };
            return decide::intend_denial(&self.case, &intent, self.now);
        }
        let asked = Asked { request_id, items, days: None, supervised: false, explanation: String::new() };
        if n14 {
            decide::continue_examination(&self.case, &asked, self.now)
        } else {
            decide::request_evidence(&self.case, &asked, self.now)
        }
    }

    /// A motion about the case, pending or granted.
    fn motion(&self, pending: bool) -> Case {
        Case {
            challenge: "motion_reopen".into(),
            about_receipt: self.case.receipt_number.clone(),
            party: self.case.party,
            stage: if pending { Stage::Accepted } else { Stage::Decided },
            outcome: (!pending).then_some(Outcome::Approved),
            ..Case::default()
        }
    }

    /// What the office does of its own accord: it reopens the case, or lets nobody wait for an appointment that is not needed.
    #[expect(clippy::wildcard_enum_match_arm, reason = "the other commands are decided elsewhere")]
    fn decide_of_own_accord(&mut self, command: &Command) -> Decision {
        let now = self.now;
        match command {
            Command::OwnMotion(favorable) => {
                self.requests += 1;
                let (request_id, reasons) =
                    (Uuid::from_u128(self.requests), "Twenty characters or more.".into());
                let motion = decide::Motion { request_id, favorable: *favorable, reasons };
                decide::reopen_on_own_motion(&self.case, BO, &motion, now)
            }
            Command::Dispense(0) => decide::waive_biometrics(&self.case, ADA, "not_able"),
            Command::Dispense(1) => {
                let today = docket_kernel::deadline::office_date(now);
                decide::reuse_biometrics(&self.case, ADA, today, now)
            }
            Command::Dispense(2) => decide::fail_capture(&self.case, "equipment", now, true),
            Command::Dispense(3) => {
                decide::close_administratively(&self.case, ADA, "examination_missed", now)
            }
            Command::Dispense(4) => decide::reopen_closed(&self.case, ADA),
            Command::Dispense(5) => decide::unassign(&self.case, BO),
            Command::Dispense(7) => decide::miss_oath(&self.case, now),
            Command::Dispense(_) => decide::excuse_biometrics(&self.case, ADA, "illness")
                .or_else(|_| decide::excuse_interview(&self.case, ADA, "illness"))
                .or_else(|_| decide::excuse_oath(&self.case, ADA, "illness")),
            other => unreachable!("{other:?}"),
        }
    }

    /// What keeps the case from being decided, and what was written wrong in it.
    #[expect(clippy::wildcard_enum_match_arm, reason = "the other commands are decided elsewhere")]
    fn decide_on_holds_and_corrections(&self, command: &Command) -> Decision {
        const WORDS: &str = "Twenty characters or more.";
        let (case, now, id) = (&self.case, self.now, Uuid::from_u128(self.events.len() as u128));
        match command {
            Command::Hold(true) => {
                let review_by =
                    docket_kernel::calendar::plus_days(docket_kernel::deadline::office_date(now), 30);
                decide::hold_case(case, (id, ADA), ("litigation", review_by), now)
            }
            Command::Hold(false) => decide::lift_hold(case, BO, "litigation"),
            Command::Correct(0) => {
                let wrong = decide::Wrong {
                    id,
                    field: if now.as_second() % 2 == 0 { "name" } else { "birth_date" }.into(),
                    value: "1984-03-09".into(),
                    error_of: "office".into(),
                    proof: "passport".into(),
                    explanation: WORDS.into(),
                };
                decide::ask_correction(case, &wrong, now)
            }
            Command::Correct(1) => decide::refuse_correction(case, ADA, WORDS),
            Command::Correct(_) => decide::make_correction(case, ADA, "1984-03-09", now),
            other => unreachable!("{other:?}"),
        }
    }

    /// What other services and other cases report: of the fee after it was paid, of a move, of evidence, of a motion.
    #[expect(clippy::wildcard_enum_match_arm, reason = "the other commands are decided elsewhere")]
    fn decide_for_others(&self, command: &Command) -> Decision {
        let (case, now) = (&self.case, self.now);
        match command {
            Command::ReturnPayment => {
                let id = Uuid::from_u128(self.events.len() as u128);
                let returned = decide::Returned {
                    id,
                    amount_cents: 71_000,
                    reason: "insufficient_funds".into(),
                    at: now,
                };
                decide::record_payment_return(case, &returned)
            }
            Command::MakeGood => decide::record_made_good(case, 71_000),
            Command::PassFeeDeadline => {
                let owed = case.fee_owed.as_ref().map(|owed| owed.return_id);
                decide::pass_fee_deadline(case, owed.unwrap_or_default(), now)
            }
            Command::PassAbsence => {
                let missed = case.absence.as_ref().map(|absence| absence.appointment);
                decide::pass_absence(case, missed.unwrap_or_default(), now)
            }
            Command::Void(payment) => {
                decide::void_acceptance(case, ADA, if *payment { "payment" } else { "signature" }, now)
            }
            Command::MoveAway(abroad) => {
                let zone = if *abroad { "America/New_York" } else { "Pacific/Honolulu" }.to_owned();
                let changed = AddressChanged { zone, abroad: *abroad, ..AddressChanged::default() };
                {
                    let change_id = Uuid::from_u128(self.events.len() as u128);
                    decide::change_address(case, (Uuid::nil(), change_id), &changed, now)
                }
            }
            Command::AddEvidence => decide::record_unsolicited(case, &EvidenceRef::default(), now),
            Command::RecordMove => decide::record_move(case, Uuid::from_u128(1), &[]),
            Command::Challenge(pending) => {
                decide::follow_challenge(case, Uuid::from_u128(2), &self.motion(*pending))
            }
            other => unreachable!("{other:?}"),
        }
    }

    /// What the party asks, and what it is answered.
    #[expect(clippy::wildcard_enum_match_arm, reason = "the other commands are decided elsewhere")]
    fn decide_what_is_asked(&self, command: &Command) -> Decision {
        const WORDS: &str = "Twenty characters or more.";
        let (case, id) = (&self.case, Uuid::from_u128(self.events.len() as u128));
        match command {
            Command::Expedite => decide::request_expedite(case, id, decide::CRITERIA[0], WORDS, self.now),
            Command::AnswerExpedite(granted) => decide::answer_expedite(case, ADA, *granted, WORDS),
            Command::Inquire(kind) => {
                let kind: &&str = kind.get(&decide::INQUIRIES);
                decide::send_inquiry(case, id, kind, WORDS, self.now)
            }
            Command::AnswerInquiry => {
                let open = case.inquiries.first().map(|open| open.id);
                decide::answer_inquiry(case, open.unwrap_or_default(), ADA, WORDS)
            }
            other => unreachable!("{other:?}"),
        }
    }

    /// The mail about the notice of the last request, and whom it does not reach.
    #[expect(clippy::wildcard_enum_match_arm, reason = "the other commands are decided elsewhere")]
    fn decide_on_a_search(&self, command: &Command) -> Decision {
        let (case, notice) = (&self.case, notice_of(self.requests));
        match command {
            Command::NotReached => {
                let mail = decide::Undelivered {
                    notice,
                    notice_kind: "rfe".into(),
                    account: APPLICANT,
                    channel: "email".into(),
                    reason: "bounced".into(),
                    at: self.now,
                };
                decide::record_undelivered(case, &mail)
            }
            Command::Seek => {
                let tried = ["phone".to_owned()];
                decide::record_sought(case, None, ADA, &tried, "Nobody answers the phone.")
            }
            Command::Reached(opened) => {
                let how = if *opened { "opened" } else { "mailed" };
                decide::record_reached(case, notice, APPLICANT, how)
            }
            other => unreachable!("{other:?}"),
        }
    }

    /// What must hold of what the office does of its own accord.
    #[expect(clippy::wildcard_enum_match_arm, reason = "the law says nothing of the others")]
    fn check_of_own_accord(&self, event: &Event) {
        let case = &self.case;
        match event {
            Event::CaseDenied(event) => {
                let mut requests = case.request.iter().chain(&case.earlier_requests);
                assert!(
                    event.new_facts != "told" || requests.any(super::Request::has_told),
                    "nobody told the party"
                );
                assert!(event.abandoned || !event.new_facts.is_empty());
                assert_ne!(case.own_motion, Some(super::OwnMotion::Favorable), "the party was not told");
            }
            Event::CaseReopenedOnOwnMotion(event) => is_told_before_it_is_denied(case, event),
            Event::CaseAdministrativelyClosed(_) => {
                assert!(case.absence.as_ref().is_some_and(|absence| absence.passed && !absence.explained));
            }
            Event::CaseReopenedOnRequest(_) => {
                assert_eq!(case.outcome, Some(Outcome::AdministrativelyClosed));
            }
            Event::AbsenceExcused(_) => assert!(case.has_missed()),
            Event::CaseHeld(_) | Event::HoldLifted(_) => {
                let after = evolve(case.clone(), event);
                let aside = Case { holds: case.holds.clone(), ..after };
                assert_eq!(&aside, case, "it changes nothing else");
            }
            Event::DecisionRecommended(_) => assert!(case.holds.is_empty(), "recommended while it is held"),
            Event::CorrectionAsked(_) => assert!(case.open_correction().is_none(), "asked twice at once"),
            Event::CardProduced(_) | Event::CertificateIssued(_) => {
                assert!(case.open_correction().is_none(), "made with what may be wrong");
            }
            Event::NameCorrected(_) | Event::BirthDateCorrected(_) | Event::CorrectionRefused(_) => {
                let after = evolve(case.clone(), event);
                let aside = Case { correction: case.correction.clone(), age: case.age, ..after };
                assert_eq!(&aside, case, "it changes nothing else");
            }
            Event::BiometricsReused(_) | Event::BiometricsWaived(_) => {
                assert!(!case.biometrics.are_done(), "nobody waits for them");
            }
            _ => {}
        }
    }

    /// What must hold of an event that was decided on the state before it.
    #[expect(clippy::wildcard_enum_match_arm, reason = "the law says nothing of the others")]
    fn check(&self, event: &Event) {
        let case = &self.case;
        match event {
            Event::CaseApproved(event) => {
                assert!(case.biometrics.are_done() && case.interview == Interview::Completed);
                assert!(case.open_request().is_none() && case.checks_answered());
                assert!(TEST_PARTS.iter().all(|part| case.tests[*part].passed));
                assert_ne!(case.recommendation.unwrap().officer.to_string(), event.officer);
                assert!(case.fee_owed.is_none(), "approved while the fee is owed");
                assert!(case.holds.is_empty(), "approved while it is held");
            }
            Event::FilingAccepted(_) => assert!(case.fee_owed.is_none()),
            Event::CaseTransferred(event) => is_only_transferred(case, event),
            Event::FeeDeadlinePassed(_) => {
                assert!(self.now >= case.fee_owed.as_ref().unwrap().deadline.expires_at);
            }
            Event::AcceptanceVoided(event) => {
                let late = |owed: &super::FeeOwed| self.now >= owed.deadline.expires_at;
                assert!(case.stage.is_pending() && case.outcome.is_none());
                assert!(event.cause == "signature" || case.fee_owed.as_ref().is_some_and(late));
            }
            Event::UnsolicitedEvidenceRecorded(event) => is_kept_aside(case, event),
            Event::AddresseeNotReached(_) | Event::AddresseeSought(_) | Event::AddresseeSearchEnded(_) => {
                is_only_looked_for(case, event);
            }
            Event::ExpediteRequested(_) => {
                assert!(case.stage.is_pending() && case.open_expedite().is_none() && !case.is_expedited());
            }
            Event::ExpediteDecided(_) => {
                assert!(case.open_expedite().is_some());
                let after = evolve(case.clone(), event);
                let aside = Case { expedite: case.expedite.clone(), ..after };
                assert_eq!(&aside, case, "it changes priority only");
            }
            Event::CaseDenied(event) if event.abandoned => may_be_abandoned(case),
            Event::BiometricsMissed(_) | Event::InterviewMissed(_) => {
                assert!(self.now > case.appointment().unwrap().starts_at, "missed before its time");
            }
            Event::AbsenceDeadlinePassed(_) => passed_in_silence(case, self.now),
            Event::FeeMadeGoodRecorded(event) => is_of_returns(case, event),
            Event::DeadlinePassed(_) => {
                let request = case.open_request().unwrap();
                assert!(request.served && self.now >= request.deadline.expires_at);
            }
            Event::RequestServed(event) => {
                let before = &case.request.as_ref().unwrap().deadline.due_date;
                assert!(
                    &event.deadline.as_ref().unwrap().due_date >= before,
                    "a due date never becomes earlier"
                );
            }
            Event::ResponseFileScanned(scanned) => is_only_scanned(case, scanned),
            Event::ResponseRecorded(event) => {
                let request = case.request_with(event.request_id.parse().unwrap()).unwrap();
                assert!(request.received_at.is_none());
                assert_eq!(event.timely, event.received_at_us < request.deadline.expires_at.as_microsecond());
            }
            Event::EvidenceRequested(_) | Event::ExaminationContinued(_) | Event::DenialIntended(_) => {
                assert!(case.open_request().is_none());
            }
            Event::BiometricsCaptureFailed(_) | Event::BiometricsTaken(_) => {
                assert_eq!(case.biometrics, Biometrics::Scheduled);
            }
            Event::CaseReopened(_) | Event::ChallengeAccepted(_) => {
                assert!(matches!(case.outcome, Some(Outcome::Denied | Outcome::DeniedAbandoned)));
            }
            Event::ChallengeEnded(_) => assert!(!case.challenges.is_empty()),
            Event::TestTaken(event) => tested_no_more_than_may_be(case, event),
            Event::OathScheduled(_) => {
                assert_ne!(case.reverified_by.unwrap(), case.interviewer.unwrap());
                assert_ne!(case.oath, Oath::Taken, "another oath");
                assert!(case.oaths_missed < 2, "who is presumed to have given up");
            }
            Event::OathTaken(_) => assert_eq!(case.outcome, Some(Outcome::Approved)),
            Event::CertificateIssued(_) => assert_eq!(case.oath, Oath::Taken),
            Event::BiometricsRescheduled(event) if event.moved_by == "party" => {
                assert!(case.biometrics_booking.moved_by_party < 2);
            }
            _ => {}
        }
        if case.outcome == Some(Outcome::Withdrawn) {
            assert!(follows_a_withdrawal(event), "after a withdrawal: {event:?}");
        }
    }

    /// Nothing but refunds, notices and what was on its way from the party follows the end of a filing (lifecycle 5, 61), nor
    /// another decision of the intake.
    fn ended_stays_so(&self, event: &Event) {
        let over = matches!(self.case.stage, Stage::Rejected | Stage::Voided);
        let on_its_way = matches!(
            event,
            Event::UnsolicitedEvidenceRecorded(_)
                | Event::ResponseRecorded(_)
                | Event::ResponseFileScanned(_)
                | Event::MessageReceived(_)
                | Event::MessageAnswered(_)
                | Event::MessageSetAside(_)
        );
        assert!(!over || on_its_way, "after the end of the filing: {event:?}");
    }

    fn run(&mut self, command: &Command) {
        let Ok(events) = self.decide(command) else { return };
        for event in events {
            self.check(&event);
            self.check_of_own_accord(&event);
            self.check_mail(&event);
            self.ended_stays_so(&event);
            self.case = evolve(std::mem::take(&mut self.case), &event);
            self.events.push(event);
        }
        let case = &self.case;
        let mut requests = case.request.iter().chain(&case.earlier_requests);
        assert!(
            requests.all(|request| !request.timely || request.state != RequestState::Expired),
            "an answer in time, and expired"
        );
        assert!(case.earlier_requests.iter().all(|earlier| earlier.state != RequestState::Open));
        if case.stage == Stage::Voided || case.outcome.is_some_and(|outcome| outcome != Outcome::Approved) {
            assert!(
                case.open_request().is_none() && case.appointment().is_none(),
                "something outlives its case"
            );
        }
        assert!(case.open_expedite().is_none() || case.stage.is_pending(), "haste outlives its case");
        assert!(case.holds.is_empty() || case.stage.is_pending(), "a hold outlives its case");
        assert!(case.office_deadline.is_none() || case.stage.is_pending(), "the office owes no decision");
        assert!(
            case.office_deadline.is_some() || !awaits_its_first_decision(case, &self.events),
            "no day for it"
        );
        assert_eq!(
            case.receipt_number.is_empty(),
            matches!(case.stage, Stage::Unknown | Stage::Submitted | Stage::Rejected),
            "a receipt number exists iff the filing was accepted"
        );
        assert!(title::ROWS.iter().any(|(row, _)| *row == title::title(case).id));
    }
}

proptest! {
    #[test]
    fn whatever_is_decided_folds_and_keeps_the_invariants(commands in prop::collection::vec(command(), 1..160)) {
        let mut world = World { case: Case::default(), now: now(), requests: 0x100, events: Vec::new() };
        world.run(&Command::Open);
        for command in &commands {
            world.run(command);
        }
        // Replay from bytes gives the same state, and every line and title has a text.
        let mut replayed = Case::default();
        for event in &world.events {
            let again = Event::decode(event.kind(), &event.encode()).unwrap();
            replayed = evolve(replayed, &again);
            let line = timeline::line(&replayed, &again);
            for language in [crate::texts::Language::En, crate::texts::Language::Es] {
                let text = crate::texts::text(language, &line.text, &line.facts);
                prop_assert!(!text.is_empty() && !text.contains("{$"), "{}: {}", line.text, text);
                let title = title::title(&replayed);
                let text = crate::texts::text(language, &format!("title-{}-explanation", title.id), &title.facts);
                prop_assert!(!text.is_empty() && !text.contains("{$"), "{}: {}", title.id, text);
            }
        }
        prop_assert_eq!(&replayed, &world.case);
        prop_assert_eq!(replayed.party, Some(APPLICANT));
        let stored = serde_json::to_vec(&replayed).unwrap();
        prop_assert_eq!(&serde_json::from_slice::<Case>(&stored).unwrap(), &replayed);
        let _ = task::task(&replayed);
    }
}

/// Random lives must reach the end now and then, or the law above says little.
#[test]
fn random_lives_reach_the_certificate() {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let strategy = prop::collection::vec(command(), 400);
    let reached = (0..400).any(|_| {
        let commands = strategy.new_tree(&mut runner).unwrap().current();
        let mut world = World { case: Case::default(), now: now(), requests: 0x100, events: Vec::new() };
        world.run(&Command::Open);
        for command in &commands {
            world.run(command);
        }
        world.case.certificate
    });
    assert!(reached);
}
