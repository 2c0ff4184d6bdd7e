//! Every event of a case that was ever written still folds, and no sequence of events breaks the fold.

use docket_eventlog::Aggregate;
use docket_testkit::evolution::{Fold, owns};

use super::{Case, Event};
use crate::aggregate::Cases;

const FOLD: Fold<Event, Case> = Fold {
    evolve: Cases::evolve,
    seen: |case| case,
    life: &[
        "case.opened.v1",
        "case.filing_accepted.v1",
        "case.representation_activated.v1",
        "case.representation_replaced.v1",
        "case.representation_ended.v1",
        "case.address_changed.v1",
        "case.move_recorded.v1",
        "case.linked.v1",
        "case.basis_lost.v1",
        "case.basis_regained.v1",
        "case.payment_return_recorded.v1",
        "case.fee_deadline_passed.v1",
        "case.fee_made_good_recorded.v1",
        "case.refund_recorded.v1",
        "case.refund_failure_recorded.v1",
        "case.notice_recorded.v1",
        "case.biometrics_needed.v1",
        "case.biometrics_scheduled.v1",
        "case.biometrics_rescheduled.v1",
        "case.biometrics_capture_failed.v1",
        "case.biometrics_reused.v1",
        "case.biometrics_waived.v1",
        "case.biometrics_taken.v1",
        "case.background_check_started.v1",
        "case.background_check_returned.v1",
        "case.assigned.v1",
        "case.unassigned.v1",
        "case.transferred.v1",
        "case.review_started.v1",
        "case.interview_scheduled.v1",
        "case.interview_rescheduled.v1",
        "case.interview_missed.v1",
        "case.absence_deadline_passed.v1",
        "case.absence_excused.v1",
        "case.interview_completed.v1",
        "case.interview_waived.v1",
        "case.test_taken.v1",
        "case.evidence_requested.v1",
        "case.request_served.v1",
        "case.response_recorded.v1",
        "case.response_file_scanned.v1",
        "case.examination_continued.v1",
        "case.denial_intended.v1",
        "case.unsolicited_evidence_recorded.v1",
        "case.expedite_requested.v1",
        "case.expedite_decided.v1",
        "case.expedite_closed.v1",
        "case.inquiry_sent.v1",
        "case.inquiry_answered.v1",
        "case.inquiry_closed.v1",
        "case.correction_asked.v1",
        "case.name_corrected.v1",
        "case.correction_asked.v1",
        "case.birth_date_corrected.v1",
        "case.correction_asked.v1",
        "case.correction_refused.v1",
        "case.correction_asked.v1",
        "case.correction_closed.v1",
        "case.held.v1",
        "case.hold_lifted.v1",
        "case.addressee_not_reached.v1",
        "case.addressee_sought.v1",
        "case.addressee_not_reached.v1",
        "case.addressee_search_ended.v1",
        "case.challenge_accepted.v1",
        "case.challenge_ended.v1",
        "case.decision_recommended.v1",
        "case.decision_reviewed.v1",
        "case.approved.v1",
        "case.reverification_completed.v1",
        "case.oath_scheduled.v1",
        "case.oath_taken.v1",
        "case.certificate_issued.v1",
        "case.card_ordered.v1",
        "case.card_produced.v1",
        "case.card_mailed.v1",
        "case.card_delivered.v1",
        "case.card_returned.v1",
        "case.address_confirmed.v1",
        "case.card_remailed.v1",
        "case.card_destroyed.v1",
        "case.revocation_intended.v1",
        "case.revocation_intent_withdrawn.v1",
        "case.approval_revoked.v1",
        "case.approval_revoked_by_law.v1",
        "case.termination_intended.v1",
        "case.termination_intent_withdrawn.v1",
        "case.status_terminated.v1",
        "case.reopened_on_own_motion.v1",
        "case.administratively_closed.v1",
        "case.reopened_on_request.v1",
    ],
    // A reviewer who concurs leaves the recommendation as it stands; the approval or denial comes with it.
    changes_nothing: &["case.decision_reviewed.v1"],
};

#[test]
fn the_events_of_this_service_fold() {
    owns("docket.case_status.events.v1", &["case"], &[]);
    FOLD.every_golden_folds();
}

#[test]
fn any_events_of_a_case_obey_the_laws_of_a_fold() {
    FOLD.any_events_obey_the_laws();
}
