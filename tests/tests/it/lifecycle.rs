//! The life of a case as its log tells it, event by event, held against the invariants of the lifecycle (section 8): the number of
//! each stands where it is looked for.
#![expect(clippy::wildcard_enum_match_arm, reason = "an invariant looks at the events that it is about")]
use docket_case_status::domain::appointment::{HOURS, civil_date};
use docket_case_status::domain::office::office;
use docket_case_status::domain::{
    Appointment, Biometrics, Booking, CardState, Case, Interview, Oath, Outcome, Request, RequestKind,
    RequestState, Stage, TEST_PARTS, evolve, needs,
};
use docket_kernel::calendar::is_working_day;
use docket_kernel::deadline::zone;
use docket_kernel::{Actor, ActorKind, EventEnum as _};
use docket_proto::events::case::Event;
use docket_proto::types::v1::AppointmentSlot;
use jiff::civil::Date;
use jiff::{Timestamp, ToSpan as _};
use uuid::Uuid;

/// The office gives notice of ten days; counted in days of the calendar, nine whole ones lie between at least.
const NOTICE_US: i64 = 9 * 86_400 * 1_000_000;
/// Moves by the party, of each appointment.
const MOVES: u32 = 2;
/// Until when before an appointment the party moves it: twelve hours.
const MOVABLE_US: i64 = 12 * 3_600 * 1_000_000;
/// Attempts at a part of the test.
const ATTEMPTS: u32 = 2;

/// An event of a case, and who caused it.
#[derive(Debug)]
pub(crate) struct Line {
    pub(crate) event: Event,
    pub(crate) actor: Actor,
    /// The party, where somebody acted for them.
    pub(crate) on_behalf_of: Option<Uuid>,
    pub(crate) recorded_at_us: i64,
}

/// Lives the case through, and gives it as it is at the end.
pub(crate) fn lived(id: &str, lines: &[Line]) -> Case {
    let mut case = Case::default();
    for line in lines {
        let after = evolve(case.clone(), &line.event);
        let step = Step { id, line, before: &case, after: &after };
        step.is_by_whom_it_must_be();
        step.is_received_on_the_day_it_came();
        step.keeps_stage_and_number();
        step.decides_with_what_it_needs();
        step.keeps_requests();
        step.keeps_appointments();
        step.follows_the_approval();
        step.does_no_more_than_it_says();
        case = after;
    }
    ended(id, lines, &case);
    case
}

/// An invariant at an event of a case, with the case before it.
#[track_caller]
pub(crate) fn must_at((id, line, before): (&str, &Line, &Case), invariant: u32, holds: bool) {
    let kind = line.event.kind();
    assert!(
        holds,
        "lifecycle {invariant} does not hold at {kind} of case {id}: {line:?}, before it {before:#?}"
    );
}

/// An event with what was before and after it.
struct Step<'a> {
    id: &'a str,
    line: &'a Line,
    before: &'a Case,
    after: &'a Case,
}

impl Step<'_> {
    #[track_caller]
    fn must(&self, invariant: u32, holds: bool) {
        must_at((self.id, self.line, self.before), invariant, holds);
    }

    /// 21: no machine decides. 40: who acts for the party is their representative then.
    fn is_by_whom_it_must_be(&self) {
        let Line { event, actor, on_behalf_of, .. } = self.line;
        let decides = matches!(
            event,
            Event::DecisionRecommended(_)
                | Event::DecisionReviewed(_)
                | Event::CaseApproved(_)
                | Event::CaseDenied(_)
                | Event::CaseReferred(_)
                | Event::CaseWithdrawn(_)
                | Event::CaseReopened(_)
                | Event::CaseReopenedOnOwnMotion(_)
                | Event::CaseReopenedOnRequest(_)
                | Event::CaseAdministrativelyClosed(_)
                | Event::RevocationIntended(_)
                | Event::RevocationIntentWithdrawn(_)
                | Event::ApprovalRevoked(_)
                | Event::ApprovalRevokedByLaw(_)
                | Event::TerminationIntended(_)
                | Event::TerminationIntentWithdrawn(_)
                | Event::StatusTerminated(_)
                | Event::CaseHeld(_)
                | Event::AcceptanceVoided(_)
        );
        self.must(21, !decides || actor.kind == ActorKind::Account);
        if actor.kind == ActorKind::Account && on_behalf_of.is_some() {
            let theirs = self.before.representative() == actor.account_id();
            self.must(40, theirs && *on_behalf_of == self.before.party);
        }
    }

    /// 6: the receipt date is the civil day at the office on which it came.
    fn is_received_on_the_day_it_came(&self) {
        let Event::CaseOpened(opened) = &self.line.event else { return };
        let came = Timestamp::from_microsecond(opened.submitted_at_us);
        let office = zone("America/New_York").expect("a zone");
        let day = came.map(|came| office.to_datetime(came).date().to_string());
        self.must(6, day.is_ok_and(|day| day == opened.receipt_date));
    }

    /// 2: accepted or rejected, once, and voided before it is decided. 4: a receipt number never changes. 33, 34: an outcome
    /// stands until the case is reopened, which is a review again. 53: a transfer changes who has it, and nothing else.
    fn keeps_stage_and_number(&self) {
        let (before, after) = (self.before, self.after);
        match &self.line.event {
            Event::FilingAccepted(_) | Event::FilingRejected(_) => {
                self.must(2, before.stage == Stage::Submitted);
            }
            Event::AcceptanceVoided(_) => self.must(2, before.stage.is_pending()),
            Event::CaseReopened(_) | Event::CaseReopenedOnOwnMotion(_) | Event::CaseReopenedOnRequest(_) => {
                self.must(34, after.stage == Stage::InReview);
            }
            Event::ApprovalRevoked(_) | Event::StatusTerminated(_) => {
                self.must(33, before.intended_revocation().is_some() && before.open_request().is_none());
            }
            Event::ApprovalRevokedByLaw(_) => self.must(33, before.outcome == Some(Outcome::Approved)),
            Event::CaseTransferred(sent) => {
                self.must(53, before.stage.is_pending() && before.office == sent.from_office);
                let transferred = before.transferred;
                let aside = Case {
                    office: before.office.clone(),
                    officer: before.officer,
                    transferred,
                    ..after.clone()
                };
                self.must(53, aside == *before);
            }
            _ => self.must(33, before.outcome.is_none() || after.outcome == before.outcome),
        }
        self.must(4, before.receipt_number.is_empty() || after.receipt_number == before.receipt_number);
    }

    /// 22: abandoned is what was asked for in vain. 23: facts that the party did not know were told by a notice of intent that was
    /// served, and the time to answer it is over (8 CFR 103.2(b)(16)(i)); whether there are any is said of every denial on the merits. 24:
    /// an approval has everything that the form needs. 26: who follows is approved after somebody who is known. 56: what is held is not
    /// decided.
    fn decides_with_what_it_needs(&self) {
        let case = self.before;
        let decided =
            matches!(self.line.event, Event::CaseApproved(_) | Event::CaseDenied(_) | Event::CaseReferred(_));
        self.must(56, !decided || case.holds.is_empty());
        match &self.line.event {
            Event::CaseDenied(denied) if denied.abandoned => {
                let request = case.request.as_ref();
                let expired =
                    request.is_some_and(|request| request.state == RequestState::Expired && !request.timely);
                // Who does not come to the examination for naturalization is not denied for it (8 CFR 335.6).
                let examined = !needs(&case.family).oath && case.interview == Interview::Missed;
                self.must(22, expired || case.biometrics == Biometrics::Missed || examined);
            }
            Event::CaseDenied(denied) => {
                let told = case.request.iter().chain(&case.earlier_requests).any(told_and_over);
                let stated = denied.new_facts == "none" || (denied.new_facts == "told" && told);
                self.must(23, stated);
            }
            Event::ApprovalRevoked(_) => {
                self.must(23, case.request.iter().chain(&case.earlier_requests).any(told_and_over));
            }
            Event::CaseApproved(_) => {
                let needs = needs(&case.family);
                let passed = |part: &str| case.tests.get(part).is_some_and(|attempts| attempts.passed);
                self.must(24, !needs.biometrics || case.biometrics.are_done());
                self.must(24, !needs.interview || case.interview.is_done());
                self.must(24, !needs.test || TEST_PARTS.into_iter().all(passed));
                self.must(24, case.checks_answered() && case.open_request().is_none());
                let follows = case.principal_verified || case.principals().next().is_some();
                self.must(26, !case.derivative || follows);
            }
            Event::TestTaken(test) => {
                let attempts = self.after.tests[&test.part];
                // A case that was reopened after two has one more (8 CFR 336.2(b)).
                let most = ATTEMPTS + attempts.given;
                self.must(29, attempts.count <= most && test.attempt == attempts.count);
            }
            _ => {}
        }
    }

    /// 14: one request at a time. 15: with no more days than the law gives. 16, 54: a due date that was served stays, and serving
    /// makes it no earlier. 17: it passes or is answered in time, never both, and of neither is anybody reminded after. 19: it passes when it is over. 20: an answer is in
    /// time before that.
    fn keeps_requests(&self) {
        let (before, after) = (self.before.request.as_ref(), self.after.request.as_ref());
        let open = before.is_some_and(|request| request.state == RequestState::Open);
        match &self.line.event {
            Event::EvidenceRequested(_)
            | Event::ExaminationContinued(_)
            | Event::DenialIntended(_)
            | Event::RevocationIntended(_)
            | Event::TerminationIntended(_) => {
                self.must(14, self.before.open_request().is_none());
                self.must(15, after.is_some_and(within_the_law));
                return;
            }
            Event::CaseReopenedOnOwnMotion(reopened) if !reopened.favorable => {
                self.must(14, self.before.open_request().is_none());
                self.must(15, after.is_some_and(within_the_law));
                return;
            }
            Event::RequestServed(_) => self.must(15, after.is_some_and(within_the_law)),
            Event::ResponseRecorded(response) => {
                // The last request, or one before it.
                let asked = response.request_id.parse().ok().and_then(|id| self.before.request_with(id));
                let ends = asked.map(|request| request.deadline.expires_at.as_microsecond());
                self.must(20, ends.is_some_and(|ends| response.timely == (response.received_at_us < ends)));
                let past = asked.is_some_and(|request| request.state == RequestState::Expired);
                self.must(17, !response.timely || !past);
            }
            Event::RequestReminded(reminded) => {
                let of_it = |request: &&Request| request.id.to_string() == reminded.request_id;
                let ends = before.filter(of_it).map(|request| request.deadline.expires_at.as_microsecond());
                self.must(17, open && ends.is_some_and(|ends| self.line.recorded_at_us < ends));
            }
            Event::DeadlinePassed(_) => {
                let ends = before.map(|request| request.deadline.expires_at.as_microsecond());
                self.must(19, ends.is_some_and(|ends| self.line.recorded_at_us >= ends));
                self.must(17, open);
            }
            _ => {}
        }
        if let (Some(before), Some(after)) = (before, after) {
            self.must(16, after.deadline.expires_at >= before.deadline.expires_at);
            self.must(16, !before.served || after.deadline == before.deadline);
        }
    }

    /// 19: the days to say why somebody did not come pass when they are over. 35: what ends is what was set, once. 36: one of a kind at
    /// a time. 37: on an open day of the office, in its hours and with its notice, whoever sets or moves it; the party may take less.
    /// 38: moved by the party twice at most, and not in the last hours. 39: nothing is taken that was not set.
    fn keeps_appointments(&self) {
        let (case, after) = (self.before, self.after);
        let biometrics = case.biometrics == Biometrics::Scheduled;
        let interview = case.interview == Interview::Scheduled;
        match &self.line.event {
            Event::BiometricsScheduled(set) => self.is_set(biometrics, set.appointment.as_ref()),
            Event::InterviewScheduled(set) => self.is_set(interview, set.appointment.as_ref()),
            // The office sets another day when somebody cannot come, or did not: there is one still.
            Event::OathScheduled(set) => self.is_set(case.oath == Oath::Taken, set.appointment.as_ref()),
            Event::BiometricsRescheduled(moved) => {
                let slots = [moved.from.as_ref(), moved.to.as_ref()];
                self.is_moved(
                    biometrics,
                    &moved.moved_by,
                    slots,
                    [case, after].map(|it| &it.biometrics_booking),
                );
            }
            Event::InterviewRescheduled(moved) => {
                let slots = [moved.from.as_ref(), moved.to.as_ref()];
                self.is_moved(
                    interview,
                    &moved.moved_by,
                    slots,
                    [case, after].map(|it| &it.interview_booking),
                );
            }
            Event::BiometricsTaken(taken) => {
                self.must(39, biometrics && stands(&case.biometrics_booking, &taken.appointment_id));
            }
            Event::InterviewCompleted(held) => {
                self.must(35, interview && stands(&case.interview_booking, &held.appointment_id));
            }
            Event::BiometricsMissed(missed) => {
                self.is_missed(biometrics, &case.biometrics_booking, &missed.appointment_id);
            }
            Event::InterviewMissed(missed) => {
                self.is_missed(interview, &case.interview_booking, &missed.appointment_id);
            }
            Event::OathMissed(missed) => {
                self.is_missed(case.oath == Oath::Scheduled, &case.oath_booking, &missed.appointment_id);
            }
            Event::AbsenceDeadlinePassed(passed) => {
                let silent = case.absence.as_ref().filter(|it| !it.explained && !it.passed);
                self.must(19, silent.is_some_and(|it| it.appointment.to_string() == passed.appointment_id));
                let ends = silent.map(|it| it.deadline.expires_at.as_microsecond());
                self.must(19, ends.is_some_and(|ends| self.line.recorded_at_us >= ends));
            }
            Event::BiometricsCancelled(_) => self.must(35, biometrics),
            Event::InterviewCancelled(_) => self.must(35, interview),
            _ => {}
        }
    }

    fn is_set(&self, stands: bool, slot: Option<&AppointmentSlot>) {
        self.must(36, !stands);
        self.must(37, slot.is_some_and(|slot| is_open(slot) && self.is_in(slot) > NOTICE_US));
    }

    fn is_moved(
        &self,
        set: bool,
        by: &str,
        [from, to]: [Option<&AppointmentSlot>; 2],
        [before, after]: [&Booking; 2],
    ) {
        self.must(35, set && from.is_some_and(|from| stands(before, &from.appointment_id)));
        let least_us = if by == "party" { 0 } else { NOTICE_US };
        self.must(37, to.is_some_and(|to| is_open(to) && self.is_in(to) > least_us));
        let by_party = by == "party" && from.is_some_and(|from| self.is_in(from) >= MOVABLE_US);
        self.must(38, by == "office" || by_party);
        self.must(38, after.moved_by_party == before.moved_by_party + u32::from(by == "party"));
        self.must(38, after.moved_by_party <= MOVES);
    }

    /// Microseconds until it begins, from when this was recorded.
    fn is_in(&self, slot: &AppointmentSlot) -> i64 {
        slot.starts_at_us - self.line.recorded_at_us
    }

    fn is_missed(&self, set: bool, booking: &Booking, appointment: &str) {
        let begun = |slot: &Appointment| slot.starts_at.as_microsecond() < self.line.recorded_at_us;
        self.must(35, set && stands(booking, appointment) && booking.appointment.as_ref().is_some_and(begun));
    }

    /// 28: the oath comes after the approval, the certificate after the oath. 46: a card is for what was approved, and one that came
    /// back goes out again only to an address that was confirmed since.
    fn follows_the_approval(&self) {
        let case = self.before;
        let approved = case.outcome == Some(Outcome::Approved);
        match &self.line.event {
            Event::OathScheduled(_) => self.must(28, approved),
            Event::OathTaken(_) => self.must(28, approved && case.oath == Oath::Scheduled),
            Event::CertificateIssued(_) => self.must(28, case.oath == Oath::Taken && !case.certificate),
            Event::CardOrdered(_) => {
                let none = matches!(case.card.state, CardState::None | CardState::Destroyed);
                self.must(46, approved && none);
            }
            Event::CardMailed(_) => self.must(46, case.card.state == CardState::Produced),
            Event::CardRemailed(_) => {
                let back = case.card.state == CardState::Returned;
                self.must(46, back && case.address_confirmed_since_return());
            }
            _ => {}
        }
    }
}

impl Step<'_> {
    /// 56: a hold has a day until which it is looked at again, and moves no request. 57: to expedite a case changes its turn only.
    /// 58: what was abandoned is not appealed (8 CFR 103.2(b)(15)). 61: what comes unasked changes no request, and is late once the case
    /// is decided.
    fn does_no_more_than_it_says(&self) {
        let (before, after) = (self.before, self.after);
        match &self.line.event {
            Event::ExpediteDecided(_) => {
                self.must(57, Case { expedite: before.expedite.clone(), ..after.clone() } == *before);
            }
            Event::ChallengeAccepted(challenge) => {
                let abandoned = before.outcome == Some(Outcome::DeniedAbandoned);
                self.must(58, !(abandoned && challenge.challenge == "appeal"));
            }
            Event::CaseHeld(held) => {
                let at = Timestamp::from_microsecond(self.line.recorded_at_us).expect("an instant");
                let today = office(&before.office).map(|office| civil_date(at, &office.zone));
                let day = held.review_by_date.parse::<Date>().ok();
                self.must(56, day.zip(today).is_some_and(|(day, today)| day >= today));
                self.must(56, after.request == before.request);
            }
            Event::UnsolicitedEvidenceRecorded(added) => {
                self.must(61, added.late != before.is_open());
                self.must(61, after.request == before.request);
                self.must(61, after.earlier_requests == before.earlier_requests);
            }
            _ => {}
        }
    }
}

/// 23: a notice of intent that was served, and whose time to answer is over.
fn told_and_over(request: &Request) -> bool {
    let tells = matches!(request.kind, RequestKind::Noid | RequestKind::Noir | RequestKind::OwnMotion);
    let over = matches!(
        request.state,
        RequestState::Expired | RequestState::RespondedComplete | RequestState::RespondedPartial
    );
    tells && request.served && over
}

/// 37: on an open day of that office, and between its hours there.
fn is_open(slot: &AppointmentSlot) -> bool {
    let Some(office) = office(&slot.office) else { return false };
    let Ok(starts_at) = Timestamp::from_microsecond(slot.starts_at_us) else { return false };
    let Ok(zone) = zone(&office.zone) else { return false };
    let local = zone.to_datetime(starts_at);
    office.is_open(local.date()) && (HOURS.0..=HOURS.1).contains(&local.time())
}

/// 15: of evidence 84 days at most, of what precedes a denial or belongs to an examination 30 (8 CFR 103.2(b)(8)(iv), 335.7);
/// 3 or 14 more for mail; and then only days on which nobody works are passed over.
fn within_the_law(request: &Request) -> bool {
    let most = match request.kind {
        RequestKind::Rfe => 84,
        RequestKind::Noid
        | RequestKind::N14
        | RequestKind::Noir
        | RequestKind::Noit
        | RequestKind::OwnMotion => 30,
    };
    let deadline = &request.deadline;
    let day = |text: &str| text.parse::<Date>().ok();
    let (Some(day0), Some(due)) = (day(&deadline.day0_date), day(&deadline.due_date)) else { return false };
    let given = (1..=most).contains(&deadline.base_days) && [0, 3, 14].contains(&deadline.mail_days);
    let Ok(last) = day0.checked_add(i64::from(deadline.base_days + deadline.mail_days).days()) else {
        return false;
    };
    let passed_over = last.series(1.day()).take_while(|day| *day < due);
    given && last <= due && is_working_day(due) && passed_over.into_iter().all(|day| !is_working_day(day))
}

fn stands(booking: &Booking, appointment: &str) -> bool {
    booking.appointment.as_ref().is_some_and(|standing| standing.id.to_string() == appointment)
}

/// What holds of the whole life. 3: a number for what was accepted and nothing else. 17, 35: what stood open ended with a case that
/// ended without a benefit. 32: a withdrawal is final.
fn ended(id: &str, lines: &[Line], case: &Case) {
    let accepted = lines.iter().any(|line| matches!(line.event, Event::FilingAccepted(_)));
    assert_eq!(accepted, !case.receipt_number.is_empty(), "lifecycle 3: case {id}");
    let in_vain = case.outcome.is_some_and(|outcome| outcome != Outcome::Approved);
    if in_vain || case.stage == Stage::Voided {
        assert!(case.open_request().is_none(), "lifecycle 17: a request of case {id} is open");
        let standing = case.biometrics == Biometrics::Scheduled || case.interview == Interview::Scheduled;
        assert!(!standing, "lifecycle 35: an appointment of case {id} stands");
    }
    let withdrawn = lines.iter().position(|line| matches!(line.event, Event::CaseWithdrawn(_)));
    let after = withdrawn.map_or(&[][..], |place| &lines[place + 1..]);
    let goes_on = after.iter().find(|line| works_on(&line.event));
    assert!(goes_on.is_none(), "lifecycle 32: case {id} goes on: {goes_on:?}");
}

/// Events by which the office goes on with a case.
fn works_on(event: &Event) -> bool {
    matches!(
        event,
        Event::CaseAssigned(_)
            | Event::CaseTransferred(_)
            | Event::ReviewStarted(_)
            | Event::BiometricsScheduled(_)
            | Event::BiometricsTaken(_)
            | Event::BiometricsMissed(_)
            | Event::InterviewMissed(_)
            | Event::InterviewScheduled(_)
            | Event::InterviewCompleted(_)
            | Event::EvidenceRequested(_)
            | Event::ExaminationContinued(_)
            | Event::DenialIntended(_)
            | Event::RevocationIntended(_)
            | Event::TerminationIntended(_)
            | Event::CaseHeld(_)
            | Event::CorrectionAsked(_)
            | Event::RequestServed(_)
            | Event::DeadlinePassed(_)
            | Event::DecisionRecommended(_)
            | Event::DecisionReviewed(_)
            | Event::CaseApproved(_)
            | Event::CaseDenied(_)
            | Event::CaseReferred(_)
            | Event::CaseReopened(_)
            | Event::CaseReopenedOnOwnMotion(_)
            | Event::CaseReopenedOnRequest(_)
            | Event::CardOrdered(_)
    )
}

/// Lives that are spoilt, each in one thing: the books would not be right.
mod spoilt {
    use super::{Line, lived};
    use docket_kernel::Actor;
    use docket_proto::case_status::events::v1 as pb;
    use docket_proto::events::case::Event;
    use docket_proto::types::v1::{AppointmentSlot, Deadline};

    const REQUEST: &str = "00000000-0000-0000-0000-000000000014";
    const DAY_US: i64 = 86_400 * 1_000_000;
    /// The first instant after 24 December 2026 in New York.
    const ENDS_US: i64 = 1_798_174_800 * 1_000_000;

    fn opened(receipt_date: &str) -> Event {
        // A Monday evening in New York, and Tuesday already in Greenwich.
        let submitted_at_us = 1_795_487_400 * 1_000_000;
        let receipt_date = receipt_date.to_owned();
        pb::CaseOpened { form: "I-485".into(), submitted_at_us, receipt_date, ..Default::default() }.into()
    }

    /// Thirty days from 24 November 2026.
    fn deadline(base_days: u32, due_date: &str) -> Deadline {
        Deadline {
            day0_date: "2026-11-24".into(),
            base_days,
            due_date: due_date.into(),
            expires_at_us: ENDS_US,
            ..Default::default()
        }
    }

    fn asked(base_days: u32, due_date: &str) -> Event {
        let deadline = Some(deadline(base_days, due_date));
        pb::EvidenceRequested { request_id: REQUEST.into(), deadline, ..Default::default() }.into()
    }

    fn intended(base_days: u32, due_date: &str) -> Event {
        let deadline = Some(deadline(base_days, due_date));
        pb::DenialIntended { request_id: REQUEST.into(), deadline, ..Default::default() }.into()
    }

    fn served(base_days: u32, due_date: &str) -> Event {
        let deadline = Some(deadline(base_days, due_date));
        pb::RequestServed { request_id: REQUEST.into(), deadline, ..Default::default() }.into()
    }

    fn answered(received_at_us: i64) -> Event {
        let timely = received_at_us < ENDS_US;
        pb::ResponseRecorded { request_id: REQUEST.into(), received_at_us, timely, ..Default::default() }
            .into()
    }

    fn passed() -> Event {
        pb::DeadlinePassed { request_id: REQUEST.into() }.into()
    }

    /// Why the life is none, as the panic says it; each event is recorded a day after the end of the period.
    fn check(events: impl IntoIterator<Item = Event>, expected: Option<&str>) {
        let line = |event| Line {
            event,
            actor: Actor::account(uuid::Uuid::from_u128(1)),
            on_behalf_of: None,
            recorded_at_us: ENDS_US + DAY_US,
        };
        let lines: Vec<Line> = events.into_iter().map(line).collect();
        let ended = std::panic::catch_unwind(|| drop(lived("1", &lines)));
        let said = ended.err().map(|panic| panic.downcast_ref::<String>().cloned().unwrap_or_default());
        let begins = expected.map(|kind| format!("lifecycle {kind} of case 1"));
        match (&said, &begins) {
            (None, None) => {}
            (Some(said), Some(begins)) if said.starts_with(begins) => {}
            _ => panic!("expected {begins:?}, found {said:?}"),
        }
    }

    #[test]
    fn a_life_that_breaks_a_rule_of_requests_is_found() {
        let due = "2026-12-24";
        let life = |events: Vec<Event>| [vec![opened("2026-11-23")], events].concat();
        check([opened("2026-11-24")], Some("6 does not hold at case.opened.v1"));
        check(life(vec![asked(30, due), served(30, due), answered(ENDS_US - 1)]), None);
        check(life(vec![asked(30, due), served(30, due), passed(), answered(ENDS_US)]), None);
        // One request after the other is right, whatever the second one is.
        check(
            life(vec![asked(30, due), served(30, due), answered(1), intended(30, due), served(30, due)]),
            None,
        );
        check(
            life(vec![asked(30, due), intended(30, due)]),
            Some("14 does not hold at case.denial_intended.v1"),
        );
        check(life(vec![asked(85, "2027-02-17")]), Some("15 does not hold at case.evidence_requested.v1"));
        check(life(vec![intended(31, "2026-12-28")]), Some("15 does not hold at case.denial_intended.v1"));
        // 26 December 2026 is a Saturday: the Monday is the last day, and no later one.
        check(life(vec![asked(32, "2026-12-28")]), None);
        check(life(vec![asked(32, "2026-12-29")]), Some("15 does not hold at case.evidence_requested.v1"));
        check(
            life(vec![asked(30, due), served(30, "2026-12-28")]),
            Some("15 does not hold at case.request_served.v1"),
        );
        let both = life(vec![asked(30, due), served(30, due), passed(), answered(ENDS_US - 1)]);
        check(both, Some("17 does not hold at case.response_recorded.v1"));
        let both = life(vec![asked(30, due), served(30, due), answered(ENDS_US - 1), passed()]);
        check(both, Some("17 does not hold at case.deadline_passed.v1"));
    }

    fn denied(new_facts: &str, abandoned: bool) -> Event {
        pb::CaseDenied { new_facts: new_facts.into(), abandoned, ..Default::default() }.into()
    }

    #[test]
    fn a_denial_on_facts_that_nobody_told_the_party_is_found() {
        let due = "2026-12-24";
        let untold = Some("23 does not hold at case.denied.v1");
        let life = |events: Vec<Event>| [vec![opened("2026-11-23")], events].concat();
        check(life(vec![denied("none", false)]), None);
        check(life(vec![denied("", false)]), untold);
        check(life(vec![denied("told", false)]), untold);
        let told = |end: Vec<Event>| life([vec![intended(30, due), served(30, due)], end].concat());
        check(told(vec![passed(), denied("told", false)]), None);
        check(told(vec![answered(1), denied("told", false)]), None);
        check(told(vec![denied("told", false)]), untold);
        check(life(vec![intended(30, due), passed(), denied("told", false)]), untold);
        // A request for evidence tells of nothing that speaks against the party.
        let asked = life(vec![asked(30, due), served(30, due), passed(), denied("told", false)]);
        check(asked, untold);
    }

    #[test]
    fn an_appeal_of_what_was_abandoned_a_hold_without_end_and_a_file_that_counts_too_late_are_found() {
        let due = "2026-12-24";
        let life = |events: Vec<Event>| [vec![opened("2026-11-23")], events].concat();
        let challenged = |challenge: &str| {
            let challenge = challenge.to_owned();
            let accepted = pb::ChallengeAccepted { case_id: REQUEST.into(), challenge }.into();
            life(vec![asked(30, due), served(30, due), passed(), denied("", true), accepted])
        };
        check(challenged("motion_reopen"), None);
        check(challenged("appeal"), Some("58 does not hold at case.challenge_accepted.v1"));
        let held = |review_by_date: &str| {
            let accepted = pb::FilingAccepted { receipt_number: "DKT1".into(), office: "NBC".into() }.into();
            let held = pb::CaseHeld {
                hold_id: REQUEST.into(),
                review_by_date: review_by_date.into(),
                ..Default::default()
            };
            life(vec![accepted, held.into()])
        };
        check(held("2027-01-26"), None);
        check(held("2026-12-24"), Some("56 does not hold at case.held.v1"));
        check(held(""), Some("56 does not hold at case.held.v1"));
        let added = |late| pb::UnsolicitedEvidenceRecorded { late, ..Default::default() }.into();
        check(life(vec![added(false), denied("none", false), added(true)]), None);
        check(life(vec![added(true)]), Some("61 does not hold at case.unsolicited_evidence_recorded.v1"));
        check(
            life(vec![denied("none", false), added(false)]),
            Some("61 does not hold at case.unsolicited_evidence_recorded.v1"),
        );
    }

    /// An appointment so many days after what is recorded, at an hour in New York.
    fn slot(appointment_id: &str, days: i64, hour: i64) -> AppointmentSlot {
        AppointmentSlot {
            appointment_id: appointment_id.into(),
            office: "ASC-NYC".into(),
            // What is recorded, is at midnight there.
            starts_at_us: ENDS_US + DAY_US + days * DAY_US + hour * DAY_US / 24,
            ..Default::default()
        }
    }

    #[test]
    fn an_appointment_that_the_office_may_not_set_or_the_party_not_move_is_found() {
        let (one, two) = (REQUEST, "00000000-0000-0000-0000-000000000015");
        let set = |days, hour| {
            vec![
                opened("2026-11-23"),
                pb::BiometricsScheduled { appointment: Some(slot(one, days, hour)), capture_code: 3 }.into(),
            ]
        };
        let unset = Some("37 does not hold at case.biometrics_scheduled.v1");
        // Saturday 26 December 2026: sixteen days on it is a Monday, fifteen a Sunday, and five are too few.
        check(set(16, 10), None);
        check(set(15, 10), unset);
        check(set(5, 10), unset);
        check(set(16, 8), unset);
        check(set(16, 17), unset);
        let moved = |moved_by: &str, from: &str, days| {
            let (from, to) = (Some(slot(from, 16, 10)), Some(slot(two, days, 10)));
            let moved =
                pb::BiometricsRescheduled { from, to, moved_by: moved_by.into(), ..Default::default() };
            [set(16, 10), vec![moved.into()]].concat()
        };
        let unmoved = |number: &str| format!("{number} does not hold at case.biometrics_rescheduled.v1");
        // The party may take a day of the same week; the office gives notice, of a day on which it is open.
        check(moved("party", one, 3), None);
        check(moved("office", one, 17), None);
        check(moved("office", one, 3), Some(&unmoved("37")));
        check(moved("party", one, 1), Some(&unmoved("37")));
        check(moved("office", two, 17), Some(&unmoved("35")));
        check(moved("nobody", one, 17), Some(&unmoved("38")));
        let again = |from: &str, to: &str| -> Event {
            let (from, to) = (Some(slot(from, 16, 10)), Some(slot(to, 16, 10)));
            pb::BiometricsRescheduled { from, to, moved_by: "party".into(), ..Default::default() }.into()
        };
        let twice = [set(16, 10), vec![again(one, two), again(two, one)]].concat();
        check(twice.clone(), None);
        check([twice, vec![again(one, two)]].concat(), Some(&unmoved("38")));
        // What has begun, or is about to, is moved by nobody who is to come.
        let mut late = moved("party", one, 3);
        if let Some(Event::BiometricsRescheduled(moved)) = late.last_mut() {
            moved.from = Some(slot(one, 0, 11));
        }
        check(late, Some(&unmoved("38")));
    }
}
