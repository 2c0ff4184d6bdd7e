//! Our own log: an answer that is owed to a party, and the search for whom a mail did not reach, are obligations of ours until the one
//! is given and the other at its end, or the case ends.

use async_trait::async_trait;
use docket_eventlog::{Obligation, Obligations, Recorded};
use docket_proto::events::case;
use docket_proto::types::v1::Deadline;
use docket_service::{ApplyError, Subscriber};
use sqlx::PgConnection;

use crate::domain::Event;

/// The kind of the obligation to answer a request to expedite.
const EXPEDITE: &str = "expedite_answer";
/// The kind of the obligation to answer an inquiry.
const INQUIRY: &str = "inquiry_answer";
/// The kind of the obligation to answer a message, or to say that it needs no answer.
const MESSAGE: &str = "message_answer";
/// The kind of the obligation to look for somebody whom a mail about a notice did not reach; its key is `<notice>/<account>`.
const ADDRESSEE: &str = "find_addressee";

/// Keeps what is owed, so that an answer that does not come in time is noticed.
pub(crate) struct OwedAnswers {
    /// The obligations of the log.
    pub(crate) obligations: Obligations,
    /// Who owes: this service.
    pub(crate) owner: &'static str,
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
            Event::MessageReceived(sent) => {
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
            _ => Ok(()),
        }
    }
}

fn addressee(notice: &str, account: &str) -> String {
    format!("{notice}/{account}")
}

impl OwedAnswers {
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
        let obligation = Obligation { kind: kind.to_owned(), key, owner: self.owner.to_owned(), due_at };
        self.obligations.open_in(tx, &obligation).await?;
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
