//! Notices as PDF: a template for each kind.

use std::fmt::Write as _;
use std::path::Path;

use docket_typeset::{Template, TypesetError, Typesetter};
use jiff::Timestamp;
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use crate::domain::{Facts, NoticeKind, Said};

/// An office as it is printed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct PrintedOffice {
    /// Name.
    pub(crate) name: String,
    /// Address.
    pub(crate) address: String,
}

/// Everything a template is given.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Page {
    /// Id of the notice, UUID text.
    pub(crate) notice_id: String,
    /// Version of its template.
    pub(crate) version: String,
    /// Title.
    pub(crate) title: String,
    /// Official name, such as `I-797C`.
    pub(crate) official_name: &'static str,
    /// What sort of paper it is, such as `Notice of Action`.
    pub(crate) form_of_notice: &'static str,
    /// The party's language: `en` or `es`.
    pub(crate) language: String,
    /// Form, such as `N-400`.
    pub(crate) form: String,
    /// The party's name.
    pub(crate) name: String,
    /// The address of record, a line each; empty when none was given.
    pub(crate) address: Vec<String>,
    /// Who acts for the party: name and address, a line each; empty when nobody does.
    pub(crate) representative: Vec<String>,
    /// Whether the original is theirs and the copy the party's; else it is the other way round.
    pub(crate) original_to_representative: bool,
    /// The office which issues it.
    pub(crate) office: PrintedOffice,
    /// Civil date of the notice at the office.
    pub(crate) notice_date: Said,
    /// What it says.
    pub(crate) facts: Facts,
}

/// Prints notices. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Renderer(Typesetter);

impl Renderer {
    /// A renderer with the embedded fonts, and those in `font_dir` for scripts which they lack.
    ///
    /// # Errors
    /// A folder or file that cannot be read.
    pub(crate) fn new(font_dir: Option<&Path>) -> std::io::Result<Self> {
        Typesetter::new(font_dir).map(Self)
    }

    /// Sets a page; a character that no font has stands as its number, and the page says so, since a notice that is owed must go out. Takes
    /// about a tenth of a second of one core: call it where blocking is allowed.
    ///
    /// # Errors
    /// [`TypesetError`]: a fault of the template.
    pub(crate) fn render(
        &self,
        kind: NoticeKind,
        page: &Page,
        at: Timestamp,
    ) -> Result<Vec<u8>, TypesetError> {
        let main = template(kind);
        let template = Template { name: kind.id(), main, imports: &[("frame.typ", FRAME)], input: "notice" };
        let data = serde_json::to_value(page).expect("texts and numbers can be written");
        self.0.set_legibly(template, &data, (&page.notice_id, at))
    }
}

const FRAME: &str = include_str!("../templates/frame.typ");

fn template(kind: NoticeKind) -> &'static str {
    match kind {
        NoticeKind::Receipt => include_str!("../templates/receipt.typ"),
        NoticeKind::Rejection => include_str!("../templates/rejection.typ"),
        NoticeKind::BiometricsAppointment => include_str!("../templates/biometrics_appointment.typ"),
        NoticeKind::InterviewAppointment => include_str!("../templates/interview_appointment.typ"),
        NoticeKind::AppointmentMoved => include_str!("../templates/appointment_moved.typ"),
        NoticeKind::AppointmentCancelled => include_str!("../templates/appointment_cancelled.typ"),
        NoticeKind::AppointmentMissed => include_str!("../templates/appointment_missed.typ"),
        NoticeKind::Rfe => include_str!("../templates/rfe.typ"),
        NoticeKind::Continuation => include_str!("../templates/continuation.typ"),
        NoticeKind::Noid => include_str!("../templates/noid.typ"),
        NoticeKind::Noir => include_str!("../templates/noir.typ"),
        NoticeKind::NoirWithdrawn => include_str!("../templates/noir_withdrawn.typ"),
        NoticeKind::Revocation => include_str!("../templates/revocation.typ"),
        NoticeKind::Noit => include_str!("../templates/noit.typ"),
        NoticeKind::NoitWithdrawn => include_str!("../templates/noit_withdrawn.typ"),
        NoticeKind::Termination => include_str!("../templates/termination.typ"),
        NoticeKind::RevocationByLaw => include_str!("../templates/revocation_by_law.typ"),
        NoticeKind::OwnMotion => include_str!("../templates/own_motion.typ"),
        NoticeKind::BiometricsReused => include_str!("../templates/biometrics_reused.typ"),
        NoticeKind::AdminClose => include_str!("../templates/admin_close.typ"),
        NoticeKind::Approval => include_str!("../templates/approval.typ"),
        NoticeKind::Denial => include_str!("../templates/denial.typ"),
        NoticeKind::Referral => include_str!("../templates/referral.typ"),
        NoticeKind::Transfer => include_str!("../templates/transfer.typ"),
        NoticeKind::WithdrawalAck => include_str!("../templates/withdrawal_ack.typ"),
        NoticeKind::CaseClosedMoot => include_str!("../templates/case_closed_moot.typ"),
        NoticeKind::Reopened => include_str!("../templates/reopened.typ"),
        NoticeKind::PaymentNotHonoured => include_str!("../templates/payment_returned.typ"),
        NoticeKind::RefundFailed => include_str!("../templates/refund_failed.typ"),
        NoticeKind::AcceptanceVoided => include_str!("../templates/acceptance_voided.typ"),
        NoticeKind::MoveConfirmed => include_str!("../templates/address_changed.typ"),
        NoticeKind::RepresentationEnded => include_str!("../templates/representation_ended.typ"),
        NoticeKind::CardMailed => include_str!("../templates/card_mailed.typ"),
        NoticeKind::CardReturned => include_str!("../templates/card_returned.typ"),
        NoticeKind::ExpediteDecision => include_str!("../templates/expedite_decision.typ"),
        NoticeKind::InquiryAnswer => include_str!("../templates/inquiry_answer.typ"),
        NoticeKind::Oath => include_str!("../templates/oath.typ"),
        NoticeKind::CitizenshipCertificateReady => {
            include_str!("../templates/citizenship_certificate_ready.typ")
        }
    }
}

/// The version of a kind's template: it changes with every word and line of the template and its frame.
pub(crate) fn template_version(kind: NoticeKind) -> String {
    let mut hash = Sha256::new();
    hash.update(FRAME);
    hash.update(template(kind));
    let digest = hash.finalize();
    let mut version = format!("{}-", kind.id());
    for byte in &digest[..6] {
        write!(version, "{byte:02x}").expect("a String takes everything");
    }
    version
}

/// What sort of paper a kind is.
pub(crate) fn form_of_notice(kind: NoticeKind) -> &'static str {
    match kind {
        NoticeKind::Continuation => "Notice of Continuation",
        NoticeKind::Denial | NoticeKind::Revocation | NoticeKind::Termination => "Notice of Decision",
        NoticeKind::Referral => "Notice of Referral to the Immigration Court",
        NoticeKind::Oath => "Notice of Naturalization Oath Ceremony",
        NoticeKind::Rfe => "Notice of Action: Request for Evidence",
        NoticeKind::Noid => "Notice of Intent to Deny",
        NoticeKind::Noir => "Notice of Intent to Revoke",
        NoticeKind::Noit => "Notice of Intent to Terminate",
        NoticeKind::OwnMotion => "Notice of Motion",
        NoticeKind::Receipt
        | NoticeKind::Rejection
        | NoticeKind::BiometricsAppointment
        | NoticeKind::InterviewAppointment
        | NoticeKind::AppointmentMoved
        | NoticeKind::AppointmentCancelled
        | NoticeKind::AppointmentMissed
        | NoticeKind::BiometricsReused
        | NoticeKind::NoirWithdrawn
        | NoticeKind::NoitWithdrawn
        | NoticeKind::RevocationByLaw
        | NoticeKind::AdminClose
        | NoticeKind::Approval
        | NoticeKind::Transfer
        | NoticeKind::WithdrawalAck
        | NoticeKind::CaseClosedMoot
        | NoticeKind::Reopened
        | NoticeKind::PaymentNotHonoured
        | NoticeKind::RefundFailed
        | NoticeKind::AcceptanceVoided
        | NoticeKind::MoveConfirmed
        | NoticeKind::RepresentationEnded
        | NoticeKind::CardMailed
        | NoticeKind::CardReturned
        | NoticeKind::ExpediteDecision
        | NoticeKind::InquiryAnswer
        | NoticeKind::CitizenshipCertificateReady => "Notice of Action",
    }
}

#[cfg(test)]
mod tests;
