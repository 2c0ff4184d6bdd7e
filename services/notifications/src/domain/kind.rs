//! The kinds of notices: what each is called, and which event of a case owes it.

use docket_proto::events::case::Event;

/// The kind of a notice of a refund that did not arrive, and of the alert that tells of it.
const REFUND_FAILED: &str = "refund_failed";

/// A kind of notice of the catalogue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum NoticeKind {
    /// The filing was received and accepted.
    Receipt,
    /// The filing was not accepted.
    Rejection,
    /// A biometrics appointment was set.
    BiometricsAppointment,
    /// An interview was set.
    InterviewAppointment,
    /// An appointment was moved.
    AppointmentMoved,
    /// An appointment fell away with its case.
    AppointmentCancelled,
    /// Nobody came to an appointment.
    AppointmentMissed,
    /// Evidence is asked for.
    Rfe,
    /// An examination was continued with a request.
    Continuation,
    /// A denial is intended, and can be answered.
    Noid,
    /// A revocation of the approval is intended, and can be answered.
    Noir,
    /// The approval is not revoked for what was intended.
    NoirWithdrawn,
    /// The approval was revoked.
    Revocation,
    /// A termination of the status is intended, and can be answered.
    Noit,
    /// The status is not terminated for what was intended.
    NoitWithdrawn,
    /// The status was terminated.
    Termination,
    /// The approval was revoked by the law itself.
    RevocationByLaw,
    /// The office reopened the case on its own motion.
    OwnMotion,
    /// Biometrics of an earlier capture are used.
    BiometricsReused,
    /// The case was closed without a decision.
    AdminClose,
    /// The case was approved.
    Approval,
    /// The case was denied.
    Denial,
    /// The case was referred to the immigration court.
    Referral,
    /// The case went to another office.
    Transfer,
    /// The case was withdrawn.
    WithdrawalAck,
    /// The case was closed, since the person has what it asked for.
    CaseClosedMoot,
    /// A granted motion reopened the case.
    Reopened,
    /// The payment of the fee was not honoured.
    PaymentNotHonoured,
    /// A fee that was to go back did not arrive.
    RefundFailed,
    /// The acceptance was taken back.
    AcceptanceVoided,
    /// The address of record changed, as reported.
    MoveConfirmed,
    /// Nobody acts for the party any more.
    RepresentationEnded,
    /// The card or document is on its way.
    CardMailed,
    /// It came back.
    CardReturned,
    /// A request to expedite was answered.
    ExpediteDecision,
    /// An inquiry, or a request for a correction, was answered.
    InquiryAnswer,
    /// An oath ceremony was set.
    Oath,
    /// The certificate is ready.
    CitizenshipCertificateReady,
}

impl NoticeKind {
    /// All kinds.
    pub(crate) const ALL: [Self; 38] = [
        Self::Receipt,
        Self::Rejection,
        Self::BiometricsAppointment,
        Self::InterviewAppointment,
        Self::AppointmentMoved,
        Self::AppointmentCancelled,
        Self::AppointmentMissed,
        Self::Rfe,
        Self::Continuation,
        Self::Noid,
        Self::Noir,
        Self::NoirWithdrawn,
        Self::Revocation,
        Self::Noit,
        Self::NoitWithdrawn,
        Self::Termination,
        Self::RevocationByLaw,
        Self::OwnMotion,
        Self::BiometricsReused,
        Self::AdminClose,
        Self::Approval,
        Self::Denial,
        Self::Referral,
        Self::Transfer,
        Self::WithdrawalAck,
        Self::CaseClosedMoot,
        Self::Reopened,
        Self::PaymentNotHonoured,
        Self::RefundFailed,
        Self::AcceptanceVoided,
        Self::MoveConfirmed,
        Self::RepresentationEnded,
        Self::CardMailed,
        Self::CardReturned,
        Self::ExpediteDecision,
        Self::InquiryAnswer,
        Self::Oath,
        Self::CitizenshipCertificateReady,
    ];

    /// The id in events, rows and on the wire.
    pub(crate) fn id(self) -> &'static str {
        match self {
            Self::Receipt => "receipt",
            Self::Rejection => "rejection",
            Self::BiometricsAppointment => "biometrics_appointment",
            Self::InterviewAppointment => "interview_appointment",
            Self::AppointmentMoved => "appointment_moved",
            Self::AppointmentCancelled => "appointment_cancelled",
            Self::AppointmentMissed => "appointment_missed",
            Self::Rfe => "rfe",
            Self::Continuation => "continuation",
            Self::Noid => "noid",
            Self::Noir => "noir",
            Self::NoirWithdrawn => "noir_withdrawn",
            Self::Revocation => "revocation",
            Self::Noit => "noit",
            Self::NoitWithdrawn => "noit_withdrawn",
            Self::Termination => "termination",
            Self::RevocationByLaw => "revocation_by_law",
            Self::OwnMotion => "own_motion",
            Self::BiometricsReused => "biometrics_reused",
            Self::AdminClose => "admin_close",
            Self::Approval => "approval",
            Self::Denial => "denial",
            Self::Referral => "referral",
            Self::Transfer => "transfer",
            Self::WithdrawalAck => "withdrawal_ack",
            Self::CaseClosedMoot => "case_closed_moot",
            Self::Reopened => "reopened",
            Self::PaymentNotHonoured => "payment_returned",
            Self::RefundFailed => REFUND_FAILED,
            Self::AcceptanceVoided => "acceptance_voided",
            Self::MoveConfirmed => "address_changed",
            Self::RepresentationEnded => "representation_ended",
            Self::CardMailed => "card_mailed",
            Self::CardReturned => "card_returned",
            Self::ExpediteDecision => "expedite_decision",
            Self::InquiryAnswer => "inquiry_answer",
            Self::Oath => "oath",
            Self::CitizenshipCertificateReady => "citizenship_certificate_ready",
        }
    }

    /// The kind with this id.
    pub(crate) fn of_id(id: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.id() == id)
    }

    /// Whether a Form I-94 comes with it: with the approval of a stay or of asylum.
    pub(crate) fn has_i94(self, form: &str) -> bool {
        self == Self::Approval && ["I-539", "I-589"].contains(&form)
    }

    /// The official name of the form of notice.
    pub(crate) fn official_name(self) -> &'static str {
        match self {
            Self::Receipt
            | Self::Rejection
            | Self::BiometricsAppointment
            | Self::InterviewAppointment
            | Self::AppointmentMoved
            | Self::AppointmentCancelled
            | Self::AppointmentMissed
            | Self::BiometricsReused
            | Self::Transfer => "I-797C",
            Self::CardMailed => "I-797D",
            Self::Rfe => "I-797E",
            Self::Continuation => "N-14",
            Self::Noid => "Intent to Deny",
            Self::Noir => "Intent to Revoke",
            Self::Noit => "Intent to Terminate",
            Self::Approval
            | Self::NoirWithdrawn
            | Self::NoitWithdrawn
            | Self::RevocationByLaw
            | Self::OwnMotion
            | Self::AdminClose
            | Self::WithdrawalAck
            | Self::CaseClosedMoot
            | Self::Reopened
            | Self::PaymentNotHonoured
            | Self::RefundFailed
            | Self::AcceptanceVoided
            | Self::MoveConfirmed
            | Self::RepresentationEnded
            | Self::CardReturned
            | Self::ExpediteDecision
            | Self::InquiryAnswer
            | Self::CitizenshipCertificateReady => "I-797",
            Self::Denial | Self::Revocation | Self::Termination => "Decision",
            Self::Referral => "Referral",
            Self::Oath => "N-445",
        }
    }

    /// The kind of alert that tells of it: alerts of decisions and requests cannot be switched off.
    pub(crate) fn alert(self) -> &'static str {
        match self {
            Self::Receipt => "filing_accepted",
            Self::Rejection | Self::AcceptanceVoided => "filing_rejected",
            Self::PaymentNotHonoured => "payment_result",
            Self::RefundFailed => REFUND_FAILED,
            Self::BiometricsAppointment | Self::InterviewAppointment | Self::Oath => "appointment_set",
            Self::AppointmentMoved => "appointment_moved",
            Self::AppointmentCancelled => "appointment_cancelled",
            Self::Rfe | Self::Continuation | Self::Noid | Self::Noir | Self::Noit => "request_open",
            Self::CardMailed => "card_mailed",
            Self::CardReturned => "card_returned",
            Self::Approval
            | Self::Denial
            | Self::Referral
            | Self::Reopened
            | Self::NoirWithdrawn
            | Self::Revocation
            | Self::RevocationByLaw
            | Self::NoitWithdrawn
            | Self::Termination
            | Self::AdminClose
            | Self::OwnMotion => "decision_made",
            Self::AppointmentMissed
            | Self::BiometricsReused
            | Self::Transfer
            | Self::WithdrawalAck
            | Self::CaseClosedMoot
            | Self::MoveConfirmed
            | Self::RepresentationEnded
            | Self::ExpediteDecision
            | Self::InquiryAnswer
            | Self::CitizenshipCertificateReady => "notice_posted",
        }
    }

    /// Whether it is told by text as well, to who wants that: of money nothing is.
    pub(crate) fn is_told_by_text(self) -> bool {
        !matches!(self, Self::PaymentNotHonoured | Self::RefundFailed)
    }

    /// Whether it prints what an officer wrote to the party, which the log of cases keeps sealed.
    pub(crate) fn has_words(self) -> bool {
        matches!(
            self,
            Self::Rfe
                | Self::Continuation
                | Self::Noid
                | Self::Noir
                | Self::Revocation
                | Self::RevocationByLaw
                | Self::Noit
                | Self::Termination
                | Self::OwnMotion
                | Self::Denial
                | Self::Referral
        )
    }

    /// The notice that an event of a case owes; most events owe none.
    #[expect(clippy::too_many_lines, reason = "a table: each event, and the notice that is owed for it")]
    pub(crate) fn owed_for(event: &Event) -> Option<Self> {
        Some(match event {
            Event::FilingAccepted(_) => Self::Receipt,
            Event::FilingRejected(_) => Self::Rejection,
            Event::BiometricsScheduled(_) => Self::BiometricsAppointment,
            Event::BiometricsRescheduled(_) | Event::InterviewRescheduled(_) => Self::AppointmentMoved,
            Event::BiometricsCancelled(_) | Event::InterviewCancelled(_) => Self::AppointmentCancelled,
            Event::BiometricsMissed(_) | Event::InterviewMissed(_) | Event::OathMissed(_) => {
                Self::AppointmentMissed
            }
            Event::InterviewScheduled(_) => Self::InterviewAppointment,
            Event::EvidenceRequested(_) => Self::Rfe,
            Event::ExaminationContinued(_) => Self::Continuation,
            Event::DenialIntended(_) => Self::Noid,
            Event::RevocationIntended(_) => Self::Noir,
            Event::RevocationIntentWithdrawn(_) => Self::NoirWithdrawn,
            Event::ApprovalRevoked(_) => Self::Revocation,
            Event::ApprovalRevokedByLaw(_) => Self::RevocationByLaw,
            Event::TerminationIntended(_) => Self::Noit,
            Event::TerminationIntentWithdrawn(_) => Self::NoitWithdrawn,
            Event::StatusTerminated(_) => Self::Termination,
            Event::CaseReopenedOnOwnMotion(_) => Self::OwnMotion,
            Event::BiometricsReused(_) => Self::BiometricsReused,
            Event::CaseAdministrativelyClosed(_) => Self::AdminClose,
            Event::CaseApproved(_) => Self::Approval,
            Event::CaseDenied(_) => Self::Denial,
            Event::CaseReferred(_) => Self::Referral,
            Event::CaseTransferred(_) => Self::Transfer,
            Event::CaseWithdrawn(_) => Self::WithdrawalAck,
            Event::CaseClosedAsMoot(_) => Self::CaseClosedMoot,
            Event::CaseReopened(_) | Event::CaseReopenedOnRequest(_) => Self::Reopened,
            Event::PaymentReturnRecorded(_) => Self::PaymentNotHonoured,
            Event::RefundFailureRecorded(_) => Self::RefundFailed,
            Event::AcceptanceVoided(_) => Self::AcceptanceVoided,
            Event::MoveRecorded(_) => Self::MoveConfirmed,
            Event::CaseRepresentationEnded(_) => Self::RepresentationEnded,
            Event::CardMailed(_) | Event::CardRemailed(_) => Self::CardMailed,
            Event::CardReturned(_) => Self::CardReturned,
            Event::ExpediteDecided(_) => Self::ExpediteDecision,
            Event::InquiryAnswered(_)
            | Event::NameCorrected(_)
            | Event::BirthDateCorrected(_)
            | Event::CorrectionRefused(_) => Self::InquiryAnswer,
            Event::OathScheduled(_) => Self::Oath,
            Event::CertificateIssued(_) => Self::CitizenshipCertificateReady,
            Event::CaseOpened(_)
            | Event::RepresentationActivated(_)
            | Event::CaseRepresentationReplaced(_)
            | Event::CaseRepresentationWishesChanged(_)
            | Event::FeeWaiverGranted(_)
            | Event::FeeWaiverRefused(_)
            | Event::CaseAddressChanged(_)
            | Event::FeeMadeGoodRecorded(_)
            | Event::FeeDeadlinePassed(_)
            | Event::AbsenceDeadlinePassed(_)
            | Event::BiometricsNeeded(_)
            | Event::BiometricsTaken(_)
            | Event::BiometricsWaived(_)
            | Event::BiometricsCaptureFailed(_)
            | Event::AbsenceExcused(_)
            | Event::InterviewWaived(_)
            | Event::BackgroundCheckStarted(_)
            | Event::BackgroundCheckReturned(_)
            | Event::CaseAssigned(_)
            | Event::CaseUnassigned(_)
            | Event::ReviewStarted(_)
            | Event::InterviewCompleted(_)
            | Event::TestTaken(_)
            | Event::RequestServed(_)
            | Event::RequestCancelled(_)
            | Event::ResponseRecorded(_)
            | Event::ResponseFileScanned(_)
            | Event::UnsolicitedEvidenceRecorded(_)
            | Event::DeadlinePassed(_)
            | Event::RequestReminded(_)
            | Event::AppointmentReminded(_)
            | Event::DecisionRecommended(_)
            | Event::DecisionReviewed(_)
            | Event::CardOrdered(_)
            | Event::CardProduced(_)
            | Event::CardDelivered(_)
            | Event::CardDestroyed(_)
            | Event::AddressConfirmed(_)
            | Event::ExpediteRequested(_)
            | Event::ExpediteClosed(_)
            | Event::InquirySent(_)
            | Event::InquiryClosed(_)
            | Event::MessageReceived(_)
            | Event::MessageAnswered(_)
            | Event::MessageSetAside(_)
            | Event::CaseHeld(_)
            | Event::HoldLifted(_)
            | Event::CorrectionAsked(_)
            | Event::CorrectionClosed(_)
            // A mail about it would come back as the first one did.
            | Event::AddresseeNotReached(_)
            | Event::AddresseeSought(_)
            | Event::AddresseeSearchEnded(_)
            | Event::CaseLinked(_)
            | Event::CaseUnlinked(_)
            | Event::BasisVerified(_)
            | Event::BasisLost(_)
            | Event::BasisRegained(_)
            | Event::ChallengeAccepted(_)
            | Event::ChallengeEnded(_)
            | Event::ReverificationCompleted(_)
            | Event::OathTaken(_)
            | Event::NoticeRecorded(_)
            | Event::RefundRecorded(_) => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::samples;

    #[test]
    fn every_kind_is_owed_for_some_event_and_found_by_its_id() {
        for kind in NoticeKind::ALL {
            assert_eq!(NoticeKind::of_id(kind.id()), Some(kind));
            assert_eq!(NoticeKind::owed_for(&samples::event(kind)), Some(kind), "{kind:?}");
        }
        assert_eq!(NoticeKind::of_id("subpoena"), None);
    }
}
