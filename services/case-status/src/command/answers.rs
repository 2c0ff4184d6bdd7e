//! Our own log: an answer that is owed to a party, the search for whom a mail did not reach, and a hold that is to be looked at again,
//! a case whose petition ended, one that is to be reopened since its challenge was granted, and a decision or a hearing that the law
//! gives the office so many days for, are obligations of ours until the answer is given, the search or the hold is at its end, an officer
//! decided or reopened the case or the petition is there again, or the case ends.

use async_trait::async_trait;
use docket_eventlog::{Obligation, Obligations, Recorded, Store};
use docket_kernel::deadline::{OFFICE_ZONE, ends};
use docket_proto::case_status::events::v1 as pb;
use docket_proto::events::case;
use docket_proto::types::v1::Deadline;
use docket_service::{ApplyError, Subscriber};
use jiff::{SignedDuration, Timestamp};
use sqlx::PgConnection;

use super::reactions::{named, stream_id};
use crate::aggregate::Cases;
use crate::domain::Event;

/// The kind of the obligation to answer a request to expedite.
const EXPEDITE: &str = "expedite_answer";
/// The kind of the obligation to answer an inquiry.
const INQUIRY: &str = "inquiry_answer";
/// The kind of the obligation to answer a message, or to say that it needs no answer.
const MESSAGE: &str = "message_answer";
/// The kind of the obligation to look for somebody whom a mail about a notice did not reach; its key is `<notice>/<account>`.
const ADDRESSEE: &str = "find_addressee";

/// The kind of the obligation to look at a hold again; its key is the hold.
const HOLD: &str = "hold_review";
/// The kind of the obligation to answer a request for a correction.
const CORRECTION: &str = "correction_answer";

/// The kind of the obligation to see to a case whose basis was lost; its key is `<case>/<basis>/<position of the loss>`.
const BASIS: &str = "lost_basis";
/// The kind of the obligation to decide after the first examination for naturalization (INA 336(b)); its key is the case.
const DECISION: &str = "naturalization_decision";
/// The kind of the obligation to hear and decide a request for a hearing (8 CFR 336.2(b)); its key is the case.
const HEARING: &str = "hearing";

/// The kind of the obligation to reopen a case whose challenge was granted; its key is `<case>/<challenge>`.
const REOPENING: &str = "reopening";

/// Docket's own limit for that of a lost basis, and of a challenge that was granted.
const SEEN_TO_WITHIN: SignedDuration = SignedDuration::from_hours(24 * 30);

/// Keeps what is owed, so that an answer that does not come in time is noticed.
pub(crate) struct OwedAnswers {
    /// The obligations of the log.
    pub(crate) obligations: Obligations,
    /// Who owes: this service.
    pub(crate) owner: &'static str,
    /// The cases.
    pub(crate) store: Store<Cases>,
}

#[async_trait]
impl Subscriber for OwedAnswers {
    fn categories(&self) -> &'static [&'static str] {
        &["case"]
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "the other events owe and give nothing")]
    async fn apply(&self, tx: &mut PgConnection, event: &Recorded) -> Result<(), ApplyError> {
        match event.decode::<case::Event>()? {
            Event::ExpediteRequested(asked) => {
                self.open(tx, EXPEDITE, asked.expedite_id, asked.deadline, event).await
            }
            Event::InquirySent(sent) => self.open(tx, INQUIRY, sent.inquiry_id, sent.deadline, event).await,
            Event::ExpediteDecided(decided) => self.close(tx, EXPEDITE, &decided.expedite_id, event).await,
            Event::ExpediteClosed(closed) => self.close(tx, EXPEDITE, &closed.expedite_id, event).await,
            Event::InquiryAnswered(answered) => self.close(tx, INQUIRY, &answered.inquiry_id, event).await,
            Event::InquiryClosed(closed) => self.close(tx, INQUIRY, &closed.inquiry_id, event).await,
            Event::MessageReceived(sent) if sent.waits_with.is_empty() => {
                self.open(tx, MESSAGE, sent.message_id, sent.deadline, event).await
            }
            Event::MessageAnswered(answered) => self.close(tx, MESSAGE, &answered.message_id, event).await,
            Event::MessageSetAside(aside) => self.close(tx, MESSAGE, &aside.message_id, event).await,
            Event::AddresseeNotReached(unreached) => {
                let key = addressee(&unreached.notice_id, &unreached.account_id);
                self.open(tx, ADDRESSEE, key, unreached.deadline, event).await
            }
            Event::AddresseeSought(sought) => {
                self.close(tx, ADDRESSEE, &addressee(&sought.notice_id, &sought.account_id), event).await
            }
            Event::AddresseeSearchEnded(ended) => {
                self.close(tx, ADDRESSEE, &addressee(&ended.notice_id, &ended.account_id), event).await
            }
            Event::BasisLost(lost) => {
                let key = format!("{}/{}/{}", stream_id(event)?, lost.case_id, event.position);
                self.owe(tx, BASIS, key, event.recorded_at + SEEN_TO_WITHIN).await
            }
            Event::BasisRegained(regained) => {
                let key = format!("{}/{}/", stream_id(event)?, regained.case_id);
                self.close_all(tx, BASIS, &key, event).await
            }
            Event::CaseUnlinked(unlinked) => {
                let key = format!("{}/{}/", stream_id(event)?, unlinked.case_id);
                self.close_all(tx, BASIS, &key, event).await
            }
            Event::ChallengeEnded(ended) => self.challenged(tx, &ended, event).await,
            Event::CaseReopened(_) | Event::CaseReopenedOnOwnMotion(_) => {
                self.close_all(tx, REOPENING, &format!("{}/", stream_id(event)?), event).await
            }
            Event::CaseOpened(pb::CaseOpened { hearing_deadline: Some(day), .. }) => {
                self.open(tx, HEARING, stream_id(event)?.to_string(), Some(day), event).await
            }
            Event::InterviewCompleted(pb::InterviewCompleted { decision_deadline: Some(day), .. }) => {
                self.open(tx, DECISION, stream_id(event)?.to_string(), Some(day), event).await
            }
            Event::CaseApproved(_)
            | Event::CaseDenied(_)
            | Event::CaseReferred(_)
            | Event::CaseWithdrawn(_)
            | Event::CaseClosedAsMoot(_)
            | Event::CaseAdministrativelyClosed(_)
            | Event::FilingRejected(_)
            | Event::AcceptanceVoided(_) => self.ended(tx, event).await,
            Event::CaseHeld(held) => self.hold(tx, held, event).await,
            Event::HoldLifted(lifted) => self.close(tx, HOLD, &lifted.hold_id, event).await,
            Event::CorrectionAsked(asked) => {
                self.open(tx, CORRECTION, asked.correction_id, asked.deadline, event).await
            }
            Event::NameCorrected(made) => self.close(tx, CORRECTION, &made.correction_id, event).await,
            Event::BirthDateCorrected(made) => self.close(tx, CORRECTION, &made.correction_id, event).await,
            Event::CorrectionRefused(refused) => {
                self.close(tx, CORRECTION, &refused.correction_id, event).await
            }
            Event::CorrectionClosed(closed) => self.close(tx, CORRECTION, &closed.correction_id, event).await,
            _ => Ok(()),
        }
    }
}

fn addressee(notice: &str, account: &str) -> String {
    format!("{notice}/{account}")
}

impl OwedAnswers {
    /// An officer decided the case, or it ended: nobody waits for that any more.
    async fn ended(&self, tx: &mut PgConnection, event: &Recorded) -> Result<(), ApplyError> {
        let case_id = stream_id(event)?.to_string();
        self.close(tx, DECISION, &case_id, event).await?;
        self.close(tx, HEARING, &case_id, event).await?;
        self.close_all(tx, BASIS, &format!("{case_id}/"), event).await
    }

    /// What was granted is owed to the party, unless an officer has reopened the case since.
    async fn challenged(
        &self,
        tx: &mut PgConnection,
        ended: &pb::ChallengeEnded,
        event: &Recorded,
    ) -> Result<(), ApplyError> {
        let (case_id, challenge) = (stream_id(event)?, named(&ended.case_id, "case_id")?);
        if !self.store.state_in(tx, case_id).await?.state.granted.contains(&challenge) {
            return Ok(());
        }
        let key = format!("{case_id}/{challenge}");
        self.owe(tx, REOPENING, key, event.recorded_at + SEEN_TO_WITHIN).await
    }

    /// A hold is to be looked at again until its day is over at the office; one that it replaces goes on as this one.
    async fn hold(
        &self,
        tx: &mut PgConnection,
        held: pb::CaseHeld,
        event: &Recorded,
    ) -> Result<(), ApplyError> {
        if !held.replaces_id.is_empty() {
            self.close(tx, HOLD, &held.replaces_id, event).await?;
        }
        let day = held.review_by_date.parse().ok();
        let due_at = day.and_then(|day| ends(day, OFFICE_ZONE).ok()).unwrap_or(event.recorded_at);
        self.owe(tx, HOLD, held.hold_id, due_at).await
    }

    async fn open(
        &self,
        tx: &mut PgConnection,
        kind: &str,
        key: String,
        deadline: Option<Deadline>,
        event: &Recorded,
    ) -> Result<(), ApplyError> {
        let due_at = deadline
            .map_or(event.recorded_at, |deadline| crate::domain::Deadline::from(&deadline).expires_at);
        self.owe(tx, kind, key, due_at).await
    }

    async fn owe(
        &self,
        tx: &mut PgConnection,
        kind: &str,
        key: String,
        due_at: Timestamp,
    ) -> Result<(), ApplyError> {
        let obligation = Obligation { kind: kind.to_owned(), key, owner: self.owner.to_owned(), due_at };
        self.obligations.open_in(tx, &obligation).await?;
        Ok(())
    }

    async fn close_all(
        &self,
        tx: &mut PgConnection,
        kind: &str,
        key_begins: &str,
        event: &Recorded,
    ) -> Result<(), ApplyError> {
        self.obligations.close_all_in(tx, kind, key_begins, event.position).await?;
        Ok(())
    }

    async fn close(
        &self,
        tx: &mut PgConnection,
        kind: &str,
        key: &str,
        event: &Recorded,
    ) -> Result<(), ApplyError> {
        self.obligations.close_in(tx, kind, key, event.position).await?;
        Ok(())
    }
}
