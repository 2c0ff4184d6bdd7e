//! What each event changes. Total: every event folds on every state.

use std::collections::BTreeSet;

use docket_proto::case_status::events::v1 as pb;
use docket_proto::types::v1 as types;

use uuid::Uuid;

use super::state::{id, instant};
use super::{
    APPOINTMENT_MISSED, Absence, Appearance, BasisEnd, Biometrics, Booking, Card, CardState, Case, Check,
    Corrected, Correction, CorrectionState, Deadline, Direction, Event, Expedite, ExpediteState, FeeOwed,
    FeeWaiver, GoesTo, Hold, Inquiry, Interview, KeptFee, Link, LinkKind, MoveRoute, Oath, Outcome,
    OwnMotion, Recommendation, Request, RequestKind, RequestState, Revocation, RevocationState, Search,
    SearchState, Stage, Unpaid, WaitingThread, needs,
};

/// Why an appointment fell away that is to be set again.
pub(super) const TRANSFERRED: &str = "transferred";

/// The case after the event.
#[expect(clippy::too_many_lines, reason = "a table: each event, and what it changes")]
pub fn evolve(mut case: Case, event: &Event) -> Case {
    looked_at(&mut case, event);
    match event {
        Event::CaseOpened(event) => opened(&mut case, event),
        Event::FilingAccepted(event) => accepted(&mut case, event),
        Event::RepresentationActivated(event) => represented(&mut case, event),
        Event::CaseRepresentationReplaced(event) => replaced(&mut case, event),
        Event::CaseRepresentationWishesChanged(event) => wished(&mut case, event),
        Event::CaseRepresentationEnded(_) => case.appearance = None,
        Event::FilingRejected(_) => ended_before_it_began(&mut case, Stage::Rejected),
        Event::PaymentReturnRecorded(event) => fee_returned(&mut case, event),
        Event::FeeDeadlinePassed(event) => fee_overdue(&mut case, event),
        Event::FeeMadeGoodRecorded(event) => fee_paid(&mut case, event.amount_cents),
        Event::AcceptanceVoided(_) => ended_before_it_began(&mut case, Stage::Voided),
        Event::FeeWaiverGranted(_) => case.fee_waiver = FeeWaiver::Granted,
        Event::FeeWaiverRefused(_) => case.fee_waiver = FeeWaiver::Refused,
        Event::CaseAddressChanged(event) => moved_away(&mut case, event),
        Event::MoveRecorded(_) => case.stage = Stage::Closed,
        Event::CaseAssigned(event) => assigned(&mut case, event),
        Event::CaseTransferred(event) => transferred(&mut case, event),
        Event::ReviewStarted(_) => case.stage = Stage::InReview,
        Event::NoticeRecorded(event) => case.notices.push(id(&event.notice_id)),
        Event::RefundRecorded(event) => refunded(&mut case, event),
        Event::RefundFailureRecorded(event) => refund_failed(&mut case, event),
        Event::BiometricsNeeded(_) => case.biometrics = Biometrics::Needed,
        Event::BiometricsScheduled(event) => biometrics_set(&mut case, event),
        Event::BiometricsRescheduled(event) => {
            moved(&mut case.biometrics_booking, event.to.as_ref(), &event.moved_by);
        }
        Event::BiometricsTaken(_) => case.biometrics = Biometrics::Taken,
        Event::BiometricsMissed(_) => case.biometrics = Biometrics::Missed,
        Event::BiometricsReused(_) => case.biometrics = Biometrics::Reused,
        Event::BiometricsWaived(_) => case.biometrics = Biometrics::Waived,
        Event::BiometricsCaptureFailed(_) => {
            case.biometrics = Biometrics::Needed;
            case.biometrics_booking.appointment = None;
        }
        Event::AbsenceExcused(event) => excused(&mut case, &event.appointment_kind),
        Event::InterviewWaived(_) => {
            case.interview = Interview::Waived;
            case.absence = None;
        }
        Event::BackgroundCheckStarted(event) => {
            case.checks.insert(event.system.clone(), Check::Started);
        }
        Event::BackgroundCheckReturned(event) => check_returned(&mut case, event),
        Event::InterviewScheduled(event) => interview_set(&mut case, event),
        Event::InterviewRescheduled(event) => {
            moved(&mut case.interview_booking, event.to.as_ref(), &event.moved_by);
        }
        Event::InterviewCompleted(event) => interviewed(&mut case, event),
        Event::InterviewMissed(event) => interview_missed(&mut case, event),
        Event::AbsenceDeadlinePassed(event) => absence_passed(&mut case, event),
        Event::TestTaken(event) => tested(&mut case, event),
        Event::EvidenceRequested(event) => {
            requested(&mut case, RequestKind::Rfe, &event.request_id, event.deadline.as_ref());
        }
        Event::ExaminationContinued(event) => {
            case.continued = true;
            requested(&mut case, RequestKind::N14, &event.request_id, event.deadline.as_ref());
        }
        Event::DenialIntended(event) => {
            // Who is told so may answer, whatever the case was reopened for.
            case.own_motion = case.own_motion.map(|_| OwnMotion::Told);
            requested(&mut case, RequestKind::Noid, &event.request_id, event.deadline.as_ref());
        }
        Event::RequestServed(event) => served(&mut case, event),
        Event::ResponseRecorded(event) => responded(&mut case, event),
        Event::ResponseFileScanned(event) => file_scanned(&mut case, event),
        Event::UnsolicitedEvidenceRecorded(event) => added_unasked(&mut case, event),
        Event::DeadlinePassed(event) => end_request(&mut case, &event.request_id, RequestState::Expired),
        Event::RequestReminded(event) => reminded(&mut case, &event.request_id, event.days_left),
        Event::AppointmentReminded(event) => reminded(&mut case, &event.appointment_id, event.days_left),
        Event::DecisionRecommended(event) => recommended(&mut case, event),
        Event::DecisionReviewed(event) => reviewed(&mut case, event.concurs),
        Event::CaseApproved(event) => approved(&mut case, event),
        Event::CaseDenied(event) => denied(&mut case, event),
        Event::CaseReferred(event) => referred(&mut case, event),
        Event::CaseReopened(event) => {
            case.reopened_by.push(id(&event.motion_id));
            reopened(&mut case);
        }
        Event::CaseAdministrativelyClosed(event) => closed(&mut case, event),
        Event::CaseReopenedOnRequest(_) => reopened(&mut case),
        Event::CaseUnassigned(_) => case.officer = None,
        Event::CaseReopenedOnOwnMotion(event) => reopened_on_own_motion(&mut case, event),
        Event::RevocationIntended(event) => revocation_intended(&mut case, event),
        Event::RevocationIntentWithdrawn(_) | Event::TerminationIntentWithdrawn(_) => {
            end_revocation(&mut case, RevocationState::Withdrawn);
        }
        Event::ApprovalRevoked(event) => revoked(&mut case, &event.officer),
        Event::ApprovalRevokedByLaw(event) => {
            revoked(&mut case, &event.officer);
            case.outcome = Some(Outcome::RevokedByLaw);
        }
        Event::TerminationIntended(event) => termination_intended(&mut case, event),
        Event::StatusTerminated(event) => {
            revoked(&mut case, &event.officer);
            case.outcome = Some(Outcome::Terminated);
        }
        Event::CaseHeld(event) => held(&mut case, event),
        Event::HoldLifted(event) => case.holds.retain(|hold| hold.id != id(&event.hold_id)),
        Event::CorrectionAsked(event) => correction_asked(&mut case, event),
        Event::NameCorrected(event) => {
            end_correction(&mut case, &event.correction_id, CorrectionState::Made);
        }
        Event::BirthDateCorrected(event) => {
            case.age = event.age_on_receipt;
            end_correction(&mut case, &event.correction_id, CorrectionState::Made);
        }
        Event::CorrectionRefused(event) => {
            end_correction(&mut case, &event.correction_id, CorrectionState::Refused);
        }
        Event::CorrectionClosed(event) => {
            end_correction(&mut case, &event.correction_id, CorrectionState::Closed);
        }
        Event::CaseWithdrawn(_) => end(&mut case, Outcome::Withdrawn),
        Event::CaseLinked(event) => linked(&mut case, event),
        Event::CaseUnlinked(event) => unlinked(&mut case, &event.case_id),
        Event::BasisVerified(event) if event.of_principal => case.principal_verified = true,
        Event::BasisVerified(_) => case.basis_verified = true,
        Event::BasisLost(event) => basis_lost(&mut case, event),
        Event::BasisRegained(event) => basis_regained(&mut case, event),
        Event::ChallengeAccepted(event) => challenged(&mut case, event),
        Event::ChallengeEnded(event) => challenge_ended(&mut case, event),
        Event::CaseClosedAsMoot(_) => closed_as_moot(&mut case),
        Event::ExpediteRequested(event) => expedite_requested(&mut case, event),
        Event::ExpediteDecided(event) => expedite_decided(&mut case, event),
        Event::ExpediteClosed(event) => end_expedite(&mut case, &event.expedite_id, ExpediteState::Closed),
        Event::InquirySent(event) => inquiry_sent(&mut case, event),
        Event::InquiryAnswered(event) => end_inquiry(&mut case, &event.inquiry_id),
        Event::InquiryClosed(event) => end_inquiry(&mut case, &event.inquiry_id),
        Event::MessageReceived(event) => message_received(&mut case, event),
        Event::MessageAnswered(event) => waits_no_more(&mut case, &event.message_id),
        Event::MessageSetAside(event) => waits_no_more(&mut case, &event.message_id),
        Event::AddresseeNotReached(event) => not_reached(&mut case, event),
        Event::AddresseeSought(event) => sought(&mut case, event),
        Event::AddresseeSearchEnded(event) => search_ended(&mut case, event),
        Event::CardOrdered(_) => case.card = Card { state: CardState::Ordered, ..Card::default() },
        Event::CardProduced(_) => case.card.state = CardState::Produced,
        Event::CardMailed(event) => {
            mailed(&mut case, &event.carrier, &event.tracking_number, &event.goes_to);
        }
        Event::CardRemailed(event) => {
            mailed(&mut case, &event.carrier, &event.tracking_number, &event.goes_to);
        }
        Event::CardDelivered(event) => delivered(&mut case, event),
        Event::CardReturned(event) => card_returned(&mut case, event),
        Event::CardDestroyed(_) => case.card.state = CardState::Destroyed,
        Event::AddressConfirmed(event) => address_known(&mut case, event.confirmed_at_us),
        Event::RequestCancelled(event) => end_request(&mut case, &event.request_id, RequestState::Cancelled),
        Event::BiometricsCancelled(event) => biometrics_cancelled(&mut case, &event.cause),
        Event::InterviewCancelled(event) => interview_cancelled(&mut case, &event.cause),
        Event::ReverificationCompleted(event) => case.reverified_by = Some(id(&event.officer)),
        Event::OathScheduled(event) => {
            case.oath = Oath::Scheduled;
            set(&mut case.oath_booking, event.appointment.as_ref());
        }
        Event::OathMissed(event) => oath_missed(&mut case, event),
        Event::OathTaken(_) => case.oath = Oath::Taken,
        Event::CertificateIssued(_) => certified(&mut case),
    }
    case
}

/// The deadline of an event, which has one.
fn due(deadline: Option<&types::Deadline>) -> Deadline {
    Deadline::from(deadline.unwrap_or(&types::Deadline::default()))
}

fn certified(case: &mut Case) {
    case.certificate = true;
    case.stage = Stage::Closed;
}

fn expedite_requested(case: &mut Case, event: &pb::ExpediteRequested) {
    case.expedite = Some(Expedite {
        id: id(&event.expedite_id),
        state: ExpediteState::Requested,
        deadline: due(event.deadline.as_ref()),
        requested_at_us: event.requested_at_us,
    });
}

fn expedite_decided(case: &mut Case, event: &pb::ExpediteDecided) {
    let state = if event.granted { ExpediteState::Granted } else { ExpediteState::Denied };
    end_expedite(case, &event.expedite_id, state);
}

fn end_expedite(case: &mut Case, expedite_id: &str, state: ExpediteState) {
    if let Some(expedite) = case.expedite.as_mut().filter(|expedite| expedite.id == id(expedite_id)) {
        expedite.state = state;
    }
}

fn biometrics_set(case: &mut Case, event: &pb::BiometricsScheduled) {
    case.biometrics = Biometrics::Scheduled;
    set(&mut case.biometrics_booking, event.appointment.as_ref());
}

fn interview_set(case: &mut Case, event: &pb::InterviewScheduled) {
    case.interview = Interview::Scheduled;
    case.absence = None;
    set(&mut case.interview_booking, event.appointment.as_ref());
}

fn interview_missed(case: &mut Case, event: &pb::InterviewMissed) {
    case.interview = Interview::Missed;
    case.absence = event.deadline.as_ref().map(|deadline| Absence {
        appointment: id(&event.appointment_id),
        deadline: deadline.into(),
        explained: false,
        passed: false,
    });
}

fn absence_passed(case: &mut Case, event: &pb::AbsenceDeadlinePassed) {
    if let Some(absence) = case.absence.as_mut().filter(|it| it.appointment == id(&event.appointment_id)) {
        absence.passed = true;
    }
}

fn oath_missed(case: &mut Case, event: &pb::OathMissed) {
    case.oath = Oath::Missed;
    case.oaths_missed = case.oaths_missed.saturating_add(1);
    case.oath_explained_by = due(event.deadline.as_ref()).due_date;
}

fn inquiry_sent(case: &mut Case, event: &pb::InquirySent) {
    if let Some(absence) = case.absence.as_mut().filter(|_| event.kind == APPOINTMENT_MISSED) {
        absence.explained = true;
    }
    case.inquiries.push(Inquiry {
        id: id(&event.inquiry_id),
        kind: event.kind.clone(),
        deadline: due(event.deadline.as_ref()),
        sent_at_us: event.sent_at_us,
    });
}

fn end_inquiry(case: &mut Case, inquiry_id: &str) {
    case.inquiries.retain(|inquiry| inquiry.id != id(inquiry_id));
}

fn message_received(case: &mut Case, event: &pb::MessageReceived) {
    let waits = |waiting: &&mut WaitingThread| waiting.thread == id(&event.thread_id);
    if let Some(waiting) = case.waiting_threads.iter_mut().find(waits) {
        waiting.last_message = id(&event.message_id);
        return;
    }
    case.waiting_threads.push(WaitingThread {
        thread: id(&event.thread_id),
        message: id(&event.message_id),
        last_message: id(&event.message_id),
        topic: event.topic.clone(),
        writer: event.writer.clone(),
        deadline: due(event.deadline.as_ref()),
        since_us: event.sent_at_us,
    });
}

fn waits_no_more(case: &mut Case, message_id: &str) {
    case.waiting_threads.retain(|waiting| waiting.message != id(message_id));
}

fn reminded(case: &mut Case, of: &str, days_left: u32) {
    case.reminded.insert(id(of), days_left);
}

fn not_reached(case: &mut Case, event: &pb::AddresseeNotReached) {
    case.searches.push(Search {
        notice: id(&event.notice_id),
        notice_kind: event.notice_kind.clone(),
        account: id(&event.account_id),
        addressee: event.addressee.clone(),
        reason: event.reason.clone(),
        state: SearchState::Open,
        deadline: due(event.deadline.as_ref()),
        known_at_us: event.known_at_us,
        tried: Vec::new(),
    });
}

fn sought(case: &mut Case, event: &pb::AddresseeSought) {
    if let Some(search) = end_search(case, (&event.notice_id, &event.account_id), SearchState::Sought) {
        search.tried.clone_from(&event.tried);
    }
}

fn search_ended(case: &mut Case, event: &pb::AddresseeSearchEnded) {
    end_search(case, (&event.notice_id, &event.account_id), SearchState::Ended);
}

/// The open search of a notice and an addressee, which ends so.
fn end_search<'a>(
    case: &'a mut Case,
    (notice, account): (&str, &str),
    state: SearchState,
) -> Option<&'a mut Search> {
    let of_both = |search: &&mut Search| search.notice == id(notice) && search.account == id(account);
    let search = case.searches.iter_mut().filter(|search| search.is_open()).find(of_both)?;
    search.state = state;
    Some(search)
}

fn basis_lost(case: &mut Case, event: &pb::BasisLost) {
    case.lost_bases.insert(id(&event.case_id), basis_end(&event.cause));
}

fn basis_regained(case: &mut Case, event: &pb::BasisRegained) {
    case.lost_bases.remove(&id(&event.case_id));
}

fn challenged(case: &mut Case, event: &pb::ChallengeAccepted) {
    case.challenges.insert(id(&event.case_id), event.challenge.clone());
}

fn challenge_ended(case: &mut Case, event: &pb::ChallengeEnded) {
    let challenge = id(&event.case_id);
    case.challenges.remove(&challenge);
    // An officer may have reopened it before this was heard of.
    if event.cause == "granted" && case.is_decided_against() && !case.reopened_by.contains(&challenge) {
        case.granted.insert(challenge);
    }
}

fn represented(case: &mut Case, event: &pb::RepresentationActivated) {
    let acts = appearance(&event.representation_id, &event.representative, event.wishes.as_ref());
    case.appearance = acts.map(|appearance| Appearance { active: true, ..appearance });
}

fn wished(case: &mut Case, event: &pb::CaseRepresentationWishesChanged) {
    if let Some(appearance) = case.appearance.as_mut() {
        appearance.wishes = event.wishes.as_ref().map(Into::into);
    }
}

fn replaced(case: &mut Case, event: &pb::CaseRepresentationReplaced) {
    let acts = appearance(&event.representation_id, &event.representative, event.wishes.as_ref());
    case.appearance = acts.map(|appearance| Appearance { active: true, ..appearance });
}

/// An appearance that the office has not taken yet.
fn appearance(
    representation: &str,
    representative: &str,
    wishes: Option<&types::MailingWishes>,
) -> Option<Appearance> {
    let representation = Uuid::try_parse(representation).ok()?;
    let (representative, wishes) = (id(representative), wishes.map(Into::into));
    Some(Appearance { representation, representative, active: false, wishes })
}

/// An officer acts on what is in the file: what was there is new no more. A reviewer who sends a recommendation back leaves it
/// to the officer.
fn looked_at(case: &mut Case, event: &Event) {
    let acts = matches!(
        event,
        Event::ReviewStarted(_)
            | Event::EvidenceRequested(_)
            | Event::ExaminationContinued(_)
            | Event::DenialIntended(_)
            | Event::DecisionRecommended(_)
            | Event::CaseApproved(_)
            | Event::CaseDenied(_)
            | Event::CaseReferred(_)
            | Event::RevocationIntended(_)
            | Event::ApprovalRevoked(_)
            | Event::ApprovalRevokedByLaw(_)
            | Event::TerminationIntended(_)
            | Event::StatusTerminated(_)
    );
    if acts {
        case.new_evidence = 0;
    }
}

fn added_unasked(case: &mut Case, event: &pb::UnsolicitedEvidenceRecorded) {
    case.unsolicited = case.unsolicited.saturating_add(1);
    case.new_evidence = case.new_evidence.saturating_add(u32::from(!event.late));
}

fn check_returned(case: &mut Case, event: &pb::BackgroundCheckReturned) {
    let returned = Check::Returned { record: event.result_class == "record" };
    case.checks.insert(event.system.clone(), returned);
}

fn opened(case: &mut Case, event: &pb::CaseOpened) {
    case.appearance = appearance(&event.representation_id, &event.representative, event.wishes.as_ref());
    case.stage = Stage::Submitted;
    case.form.clone_from(&event.form);
    case.family.clone_from(&event.family);
    case.party = Some(id(&event.account_id));
    case.zone.clone_from(&event.zone);
    case.abroad = event.abroad;
    case.age = event.age;
    case.civics_test.clone_from(&event.civics_test);
    case.signed_as.clone_from(&event.signed_as);
    case.payment = Uuid::try_parse(&event.payment_id).ok();
    case.kept_fee = event.kept_fee.as_ref().map(KeptFee::from);
    case.fee_waiver = if event.fee_waiver { FeeWaiver::Asked } else { FeeWaiver::NotAsked };
    case.move_route = if event.protected { MoveRoute::Protected } else { MoveRoute::Usual };
    case.about_receipt.clone_from(&event.about_receipt);
    case.challenge.clone_from(&event.challenge);
    case.without_status = event.without_status;
    case.rests_on_receipt.clone_from(&event.rests_on_receipt);
    case.rests_on_unnamed = event.rests_on_unnamed;
    case.derivative = event.derivative;
    case.office_deadline = event.hearing_deadline.as_ref().map(Into::into);
    case.receipt_date.clone_from(&event.receipt_date);
    case.submitted_at_us = event.submitted_at_us;
    case.address_known_at_us = event.submitted_at_us;
}

fn accepted(case: &mut Case, event: &pb::FilingAccepted) {
    case.stage = Stage::Accepted;
    case.receipt_number.clone_from(&event.receipt_number);
    case.office.clone_from(&event.office);
    if needs(&case.family).interview {
        case.interview = Interview::ToSchedule;
    }
}

fn tested(case: &mut Case, event: &pb::TestTaken) {
    let attempts = case.tests.entry(event.part.clone()).or_default();
    attempts.count += 1;
    attempts.passed |= event.passed;
}

fn recommended(case: &mut Case, event: &pb::DecisionRecommended) {
    case.stage = Stage::DecisionPending;
    let is = |what: &str| event.recommendation == what;
    let (approve, refer) = (is("approve"), is("refer"));
    case.recommendation = Some(Recommendation { officer: id(&event.officer), approve, refer });
}

/// A reviewer who concurs leaves the recommendation as it stands; else it goes back.
fn reviewed(case: &mut Case, concurs: bool) {
    if !concurs {
        case.stage = Stage::InReview;
        case.recommendation = None;
    }
}

fn denied(case: &mut Case, event: &pb::CaseDenied) {
    let outcome = if event.abandoned { Outcome::DeniedAbandoned } else { Outcome::Denied };
    case.decided_by = Some(id(&event.officer));
    end(case, outcome);
}

/// Under review again as after a motion. An oath that was to come is none, until the case is approved again (8 CFR 335.5).
fn reopened_on_own_motion(case: &mut Case, event: &pb::CaseReopenedOnOwnMotion) {
    reopened(case);
    case.own_motion = Some(if event.favorable { OwnMotion::Favorable } else { OwnMotion::Told });
    case.oath = Oath::None;
    case.oath_booking.appointment = None;
    case.oaths_missed = 0;
    case.oath_explained_by.clear();
    case.reverified_by = None;
    if !event.request_id.is_empty() {
        requested(case, RequestKind::OwnMotion, &event.request_id, event.deadline.as_ref());
    }
}

fn revocation_intended(case: &mut Case, event: &pb::RevocationIntended) {
    let (request, officer) = (id(&event.request_id), id(&event.officer));
    case.revocation = Some(Revocation { request, officer, state: RevocationState::Intended });
    requested(case, RequestKind::Noir, &event.request_id, event.deadline.as_ref());
}

fn termination_intended(case: &mut Case, event: &pb::TerminationIntended) {
    let (request, officer) = (id(&event.request_id), id(&event.officer));
    case.revocation = Some(Revocation { request, officer, state: RevocationState::Intended });
    requested(case, RequestKind::Noit, &event.request_id, event.deadline.as_ref());
}

fn end_revocation(case: &mut Case, state: RevocationState) {
    if let Some(revocation) = &mut case.revocation {
        revocation.state = state;
    }
}

fn revoked(case: &mut Case, officer: &str) {
    if case.intended_revocation().is_some() {
        end_revocation(case, RevocationState::Done);
    }
    case.decided_by = Some(id(officer));
    end(case, Outcome::Revoked);
}

/// A hold for the same reason goes on as this one.
fn held(case: &mut Case, event: &pb::CaseHeld) {
    case.holds.retain(|hold| hold.reason != event.reason);
    let (reason, review_by) = (event.reason.clone(), event.review_by_date.clone());
    case.holds.push(Hold { id: id(&event.hold_id), reason, review_by });
}

fn correction_asked(case: &mut Case, event: &pb::CorrectionAsked) {
    case.correction = Some(Correction {
        id: id(&event.correction_id),
        field: Corrected::of(&event.corrected_field).unwrap_or(Corrected::Name),
        state: CorrectionState::Asked,
        deadline: due(event.deadline.as_ref()),
        asked_at_us: event.asked_at_us,
    });
}

fn end_correction(case: &mut Case, correction_id: &str, state: CorrectionState) {
    if let Some(correction) = case.correction.as_mut().filter(|asked| asked.id == id(correction_id)) {
        correction.state = state;
    }
}

/// Another appointment is to be set.
fn excused(case: &mut Case, kind: &str) {
    if kind == "oath" {
        case.oath = Oath::ToSchedule;
        case.oaths_missed = case.oaths_missed.saturating_sub(1);
        case.oath_explained_by.clear();
    } else if kind == "interview" {
        case.interview = Interview::ToSchedule;
        case.absence = None;
    } else {
        case.biometrics = Biometrics::Needed;
    }
}

/// There is nothing more to come here: what follows is the court's.
fn referred(case: &mut Case, event: &pb::CaseReferred) {
    case.decided_by = Some(id(&event.officer));
    end(case, Outcome::Referred);
    case.stage = Stage::Closed;
}

/// Nothing is decided, and there is nothing more to come unless somebody asks.
fn closed(case: &mut Case, event: &pb::CaseAdministrativelyClosed) {
    end(case, Outcome::AdministrativelyClosed);
    case.stage = Stage::Closed;
    case.reopen_until.clone_from(&event.reopen_until_date);
}

fn closed_as_moot(case: &mut Case) {
    end(case, Outcome::ClosedAsMoot);
    case.stage = Stage::Closed;
}

fn delivered(case: &mut Case, event: &pb::CardDelivered) {
    case.card.state = CardState::Delivered;
    case.card.delivered_on.clone_from(&event.delivered_on_date);
}

fn card_returned(case: &mut Case, event: &pb::CardReturned) {
    case.card.state = CardState::Returned;
    case.card.returned_at_us = event.returned_at_us;
    case.card.keep_until.clone_from(&event.keep_until_date);
}

fn linked(case: &mut Case, event: &pb::CaseLinked) {
    let other = id(&event.case_id);
    if case.links.iter().any(|link| link.case == other) {
        return;
    }
    let kind = match event.link_kind.as_str() {
        "basis" => LinkKind::Basis,
        "principal" => LinkKind::Principal,
        _ => LinkKind::Ancillary,
    };
    let direction = if event.direction == "rests_on" { Direction::RestsOn } else { Direction::Carries };
    case.links.push(Link { case: other, form: event.form.clone(), kind, direction, apart: event.apart });
}

fn unlinked(case: &mut Case, other: &str) {
    case.links.retain(|link| link.case != id(other));
    case.lost_bases.remove(&id(other));
}

fn basis_end(word: &str) -> BasisEnd {
    match word {
        "withdrawn" => BasisEnd::Withdrawn,
        "rejected" => BasisEnd::Rejected,
        "voided" => BasisEnd::Voided,
        "revoked" => BasisEnd::Revoked,
        "closed" => BasisEnd::Closed,
        _ => BasisEnd::Denied,
    }
}

fn fee_returned(case: &mut Case, event: &pb::PaymentReturnRecorded) {
    let (earlier, mut returns) =
        case.fee_owed.take().map_or((0, Vec::new()), |owed| (owed.amount_cents, owed.returns));
    let return_id = id(&event.return_id);
    returns.push(Unpaid { id: return_id, amount_cents: event.amount_cents });
    case.fee_owed = Some(FeeOwed {
        amount_cents: earlier.saturating_add(event.amount_cents),
        deadline: due(event.deadline.as_ref()),
        return_id,
        overdue: false,
        returns,
    });
}

/// What was paid is owed no more; what is left of the debt still is.
fn fee_paid(case: &mut Case, amount_cents: i64) {
    if let Some(owed) = &mut case.fee_owed {
        owed.returns = owed.left_after(amount_cents);
        owed.amount_cents = owed.amount_cents.saturating_sub(amount_cents);
    }
    case.fee_owed.take_if(|owed| owed.amount_cents <= 0);
}

/// What is said of a refund twice counts once.
fn refunded(case: &mut Case, event: &pb::RefundRecorded) {
    let before = if event.refund_id.is_empty() {
        None
    } else {
        case.refunds.insert(event.refund_id.clone(), event.amount_cents)
    };
    let more = event.amount_cents.saturating_sub(before.unwrap_or_default());
    case.refunded_cents = case.refunded_cents.saturating_add(more);
}

fn refund_failed(case: &mut Case, event: &pb::RefundFailureRecorded) {
    let known = case.refunds.remove(&event.refund_id);
    let gone = known.or(event.was_recorded.then_some(event.amount_cents)).unwrap_or_default();
    case.refunded_cents = case.refunded_cents.saturating_sub(gone).max(0);
}

fn fee_overdue(case: &mut Case, event: &pb::FeeDeadlinePassed) {
    if let Some(owed) = case.fee_owed.as_mut().filter(|owed| owed.return_id == id(&event.return_id)) {
        owed.overdue = true;
    }
}

/// The filing was not taken, or is as if it never had been: nothing is owed for it.
fn ended_before_it_began(case: &mut Case, stage: Stage) {
    case.stage = stage;
    case.fee_owed = None;
    case.office_deadline = None;
}

fn moved_away(case: &mut Case, event: &pb::CaseAddressChanged) {
    case.address_from = Some(id(&event.change_id));
    case.zone.clone_from(&event.zone);
    case.abroad = event.abroad;
    address_known(case, event.changed_at_us);
}

fn address_known(case: &mut Case, at_us: i64) {
    case.address_known_at_us = case.address_known_at_us.max(at_us);
}

fn mailed(case: &mut Case, carrier: &str, tracking_number: &str, goes_to: &str) {
    case.card.state = CardState::Mailed;
    case.card.mailed_to = GoesTo::of_event(goes_to);
    carrier.clone_into(&mut case.card.carrier);
    tracking_number.clone_into(&mut case.card.tracking_number);
}

fn set(booking: &mut Booking, appointment: Option<&types::AppointmentSlot>) {
    booking.appointment = appointment.map(Into::into);
}

fn moved(booking: &mut Booking, to: Option<&types::AppointmentSlot>, moved_by: &str) {
    booking.moved_by_party += u32::from(moved_by == "party");
    set(booking, to);
}

fn assigned(case: &mut Case, event: &pb::CaseAssigned) {
    case.officer = Some(id(&event.officer));
    case.transferred = false;
}

fn transferred(case: &mut Case, event: &pb::CaseTransferred) {
    case.office.clone_from(&event.to_office);
    case.officer = None;
    case.transferred = true;
}

/// What fell away with the case is needed no more; what did because of a transfer is set again.
fn biometrics_cancelled(case: &mut Case, because: &str) {
    case.biometrics = if because == TRANSFERRED { Biometrics::Needed } else { Biometrics::Cancelled };
    case.biometrics_booking.appointment = None;
}

fn interview_cancelled(case: &mut Case, because: &str) {
    case.interview = if because == TRANSFERRED { Interview::ToSchedule } else { Interview::Cancelled };
    case.interview_booking.appointment = None;
}

fn interviewed(case: &mut Case, event: &pb::InterviewCompleted) {
    case.interview = Interview::Completed;
    case.interviewer = Some(id(&event.officer));
    if case.examined_on.is_empty() {
        case.examined_on.clone_from(&event.held_on_date);
        case.office_deadline = event.decision_deadline.as_ref().map(Into::into);
    }
}

fn requested(case: &mut Case, kind: RequestKind, request_id: &str, deadline: Option<&types::Deadline>) {
    let asked = Request {
        id: id(request_id),
        kind,
        state: RequestState::Open,
        deadline: due(deadline),
        served: false,
        notice: None,
        received_at: None,
        timely: false,
        being_checked: BTreeSet::new(),
    };
    case.earlier_requests.extend(case.request.replace(asked));
}

fn request_of<'a>(case: &'a mut Case, request_id: &str) -> Option<&'a mut Request> {
    let mut requests = case.request.iter_mut().chain(&mut case.earlier_requests);
    requests.find(|request| request.id == id(request_id))
}

fn end_request(case: &mut Case, request_id: &str, state: RequestState) {
    if let Some(request) = request_of(case, request_id) {
        request.state = state;
    }
}

fn served(case: &mut Case, event: &pb::RequestServed) {
    if let Some(request) = request_of(case, &event.request_id) {
        request.served = true;
        request.notice = Uuid::try_parse(&event.notice_id).ok();
        if let Some(deadline) = &event.deadline {
            request.deadline = deadline.into();
        }
    }
}

fn responded(case: &mut Case, event: &pb::ResponseRecorded) {
    let Some(request) = request_of(case, &event.request_id) else { return };
    request.received_at = Some(instant(event.received_at_us));
    request.timely = event.timely;
    request.being_checked = event.being_checked.iter().map(|file| id(file)).collect();
    // A request that expired stays so beside a late answer; one in time says that it did not. What was cancelled stays so.
    let expired = request.state == RequestState::Expired;
    if request.state == RequestState::Open || (expired && event.timely) {
        request.state =
            if event.complete { RequestState::RespondedComplete } else { RequestState::RespondedPartial };
    }
    // An answer to the last request is what the officer waits for; one to an earlier request is news.
    if case.request.as_ref().is_none_or(|last| last.id != id(&event.request_id)) {
        let files = u32::try_from(event.evidence.len()).unwrap_or(u32::MAX);
        case.new_evidence = case.new_evidence.saturating_add(files);
    }
}

fn file_scanned(case: &mut Case, event: &pb::ResponseFileScanned) {
    if let Some(request) = request_of(case, &event.request_id) {
        request.being_checked.remove(&id(&event.evidence_id));
    }
}

fn approved(case: &mut Case, event: &pb::CaseApproved) {
    case.own_motion = None;
    case.office_deadline = None;
    case.decided_by = Some(id(&event.officer));
    case.outcome = Some(Outcome::Approved);
    case.approved_on.clone_from(&event.effective_date);
    case.stage = Stage::Decided;
    if needs(&case.family).oath {
        case.oath = Oath::ToSchedule;
    }
}

/// Under review again: nothing is decided, what fell away with the denial is to be set again, an answer that came late is one,
/// and who passed a part of the test in no attempt has another (8 CFR 336.2(b)).
fn reopened(case: &mut Case) {
    let closed = case.outcome == Some(Outcome::AdministrativelyClosed) && case.interview == Interview::Missed;
    case.stage = Stage::InReview;
    case.outcome = None;
    case.recommendation = None;
    case.decided_by = None;
    case.own_motion = None;
    case.granted.clear();
    case.reopen_until.clear();
    if case.biometrics == Biometrics::Cancelled {
        case.biometrics = Biometrics::Needed;
    }
    // Who may come back has another day, also after one to which nobody came.
    if closed || case.interview == Interview::Cancelled {
        case.interview = Interview::ToSchedule;
    }
    for attempts in case.tests.values_mut().filter(|attempts| !attempts.passed && !attempts.one_is_left()) {
        attempts.given = attempts.given.saturating_add(1);
    }
    if let Some(request) = case.request.as_mut().filter(|request| request.received_at.is_some()) {
        request.state = RequestState::RespondedPartial;
    }
}

/// Ends the case without a benefit. What stood open ends by events of its own, which older logs do not have: there the
/// appointments fall away with the case.
fn end(case: &mut Case, outcome: Outcome) {
    case.own_motion = None;
    case.office_deadline = None;
    case.outcome = Some(outcome);
    case.stage = Stage::Decided;
    case.biometrics_booking.appointment.take_if(|_| case.biometrics == Biometrics::Scheduled);
    case.interview_booking.appointment.take_if(|_| case.interview == Interview::Scheduled);
    case.absence = None;
}
